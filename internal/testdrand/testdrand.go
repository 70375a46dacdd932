// Package testdrand is a small real drand relay for tests: a chain of one
// key that it signs with, served as the relays of the League of Entropy
// serve theirs. A round is answered from the moment that it is due.
package testdrand

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudflare/circl/sign/bls"

	"wardwatch/rounds/drand"
)

// Server is a relay of its own chain.
type Server struct {
	Chain drand.Chain
	URL   string
	Away  atomic.Bool // it answers nothing but 503
	key   *bls.PrivateKey[bls.KeyG2SigG1]
}

// New starts a relay whose chain has a round every second since genesis.
// The same seed gives the same key.
func New(t testing.TB, seed string, genesis time.Time) *Server {
	t.Helper()
	ikm := sha256.Sum256([]byte("testdrand " + seed))
	key, err := bls.KeyGen[bls.KeyG2SigG1](ikm[:], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := key.PublicKey().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	group := sha256.Sum256(pub)
	s := &Server{key: key, Chain: drand.Chain{
		PublicKey: hex.EncodeToString(pub), Period: 1, Genesis: genesis.Unix(), GroupHash: hex.EncodeToString(group[:]), BeaconID: "test-" + seed,
	}}
	if s.Chain.Hash, err = s.Chain.HashOf(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+s.Chain.Hash+"/public/{round}", s.public)
	h := httptest.NewServer(mux)
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Sign returns the signature of a round, due or not.
func (s *Server) Sign(round int64) []byte {
	msg := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(round)))
	return bls.Sign(s.key, msg[:])
}

// Beacon is the JSON of a round, due or not.
func (s *Server) Beacon(round int64) []byte {
	sig := s.Sign(round)
	sum := sha256.Sum256(sig)
	b, err := json.Marshal(drand.Beacon{Round: round, Randomness: hex.EncodeToString(sum[:]), Signature: hex.EncodeToString(sig)})
	if err != nil {
		panic(fmt.Sprintf("marshal a round: %v", err))
	}
	return b
}

func (s *Server) public(w http.ResponseWriter, r *http.Request) {
	round, err := strconv.ParseInt(r.PathValue("round"), 10, 64)
	switch {
	case s.Away.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
	case err != nil || round < 1:
		w.WriteHeader(http.StatusBadRequest)
	case time.Now().Before(s.Chain.TimeOf(round)):
		w.WriteHeader(http.StatusTooEarly)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.Beacon(round))
	}
}
