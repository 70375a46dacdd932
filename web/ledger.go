package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage/evidence/page"
	"wardwatch/storage/ledger"
	"wardwatch/storage/witness"
)

// LedgerKey is what a court compares with a package.
type LedgerKey struct {
	Fingerprint string `json:"fingerprint" doc:"SHA-256 of the public key, 64 hex digits"`
	Verifier    string `json:"verifier" doc:"The key in the encoding of signed notes, for witnesses and other tools"`

	Former []FormerKey `json:"former" doc:"The keys before, the oldest first: each has stated which one follows it"`
	SM2    string      `json:"sm2,omitempty" doc:"SHA-256 of the PEM file of the key of the second signature, 64 hex digits"`
}

// FormerKey signed the ledger before another took over.
type FormerKey struct {
	Fingerprint string    `json:"fingerprint"`
	Replaced    time.Time `json:"replaced"`
	Until       time.Time `json:"until" doc:"It also signs what is published until then"`
}

// LedgerState is how far the ledger is signed, and by whom beside us.
type LedgerState struct {
	Size      int64          `json:"size" doc:"Leaves of the newest checkpoint"`
	Witnesses []WitnessState `json:"witnesses"`
	Stamp     *StampState    `json:"stamp,omitempty" doc:"Absent: no time-stamping authority is configured"`
}

// WitnessState is one witness of the configuration.
type WitnessState struct {
	Name    string     `json:"name"`
	Size    int64      `json:"size" doc:"Leaves that it has signed for"`
	At      *time.Time `json:"at,omitempty" doc:"When, by its clock"`
	Problem string     `json:"problem,omitempty" enum:"away,rewritten" doc:"away: it does not answer, or not with a signature. rewritten: it has seen another history of this ledger"`
}

// StampState is how the time-stamping authority does.
type StampState struct {
	Size int64      `json:"size" doc:"Leaves that are stamped"`
	At   *time.Time `json:"at,omitempty" doc:"When, by the authority's clock"`
	Away bool       `json:"away" doc:"It did not stamp when it was last asked; what waits is stamped when it is back"`
}

// askFor is how long an export waits for signatures from outside.
const askFor = 5 * time.Second

// askOutside has the witnesses and the time-stamping authority sign the
// newest checkpoint, as far as they answer soon.
func (s *Server) askOutside(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	var all sync.WaitGroup
	if s.Cosigner != nil {
		all.Go(func() { s.Cosigner.Now(ctx) })
	}
	if s.Stamper != nil {
		all.Go(func() {
			if err := s.Stamper.Now(ctx); err != nil {
				s.Log.WarnContext(ctx, "exported without a time stamp", "error", err)
			}
		})
	}
	all.Wait()
}

func (s *Server) ledgerRoutes(r *routes) {
	tags := []string{"ledger"}
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/ledger/key", OperationID: "ledgerKey", Summary: "The key that signs the ledger", Tags: tags}, s.ledgerKey)
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/ledger", OperationID: "ledgerState", Summary: "How far the ledger is signed, and by which witnesses", Tags: tags}, s.ledgerState)
	r.plain(http.MethodGet, "/ledger/checkpoint", anyone(), s.ledgerCheckpoint)
	r.plain(http.MethodGet, "/ledger/tile/*", anyone(), s.ledgerTile)
	r.plain(http.MethodGet, "/verify.html", anyone(), verifyPage)
}

// verifyPage is the verifier of packages, to be kept: it works without us.
func verifyPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="verify.html"`)
	_, _ = w.Write(page.HTML()) // the client may have gone
}

func (s *Server) ledgerKey(_ context.Context, _ *none) (*body[LedgerKey], error) {
	pub := s.Store.PublicKey()
	out := LedgerKey{Fingerprint: ledger.Fingerprint(pub), Verifier: ledger.Verifier(s.Store.Log(), pub), Former: []FormerKey{}}
	for _, r := range s.Store.Rotations() {
		out.Former = append(out.Former, FormerKey{ledger.Fingerprint(r.From), r.At, r.Until})
	}
	var err error
	if k := s.Store.SM2(); k != nil {
		out.SM2, err = k.Fingerprint()
	}
	return answer(out, err)
}

func (s *Server) ledgerState(ctx context.Context, _ *none) (*body[LedgerState], error) {
	_, size, err := s.Store.LastCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	said, err := s.Store.Cosignatures(ctx)
	out := LedgerState{Size: size, Witnesses: []WitnessState{}}
	if s.Cosigner != nil {
		failed := s.Cosigner.Failures()
		for _, p := range s.Cosigner.Peers {
			w := WitnessState{Name: p.Key.Name}
			for _, c := range said {
				if c.Witness == w.Name {
					w.Size, w.At = c.Size, &c.At
				}
			}
			switch err := failed[w.Name]; {
			case errors.Is(err, witness.ErrRewritten):
				w.Problem = "rewritten"
			case err != nil:
				w.Problem = "away"
			}
			out.Witnesses = append(out.Witnesses, w)
		}
	}
	if err != nil || s.Stamper == nil {
		return answer(out, err)
	}
	last, err := s.Store.LastStamp(ctx)
	out.Stamp = &StampState{Size: last.Size, Away: s.Stamper.Failure() != nil}
	if last.Size > 0 {
		out.Stamp.At = &last.At
	}
	return answer(out, err)
}

// ledgerCheckpoint serves the newest checkpoint with the cosignatures on it
// (C2SP tlog-tiles).
func (s *Server) ledgerCheckpoint(w http.ResponseWriter, req *http.Request) {
	note, size, err := s.Store.Published(req.Context())
	if err == nil && size == 0 {
		err = notFound()
	}
	if err != nil {
		writeProblem(w, s.problem(req.Context(), err))
		return
	}
	said, err := s.Store.CosignaturesOf(req.Context(), size)
	if err != nil {
		writeProblem(w, s.problem(req.Context(), err))
		return
	}
	for _, c := range said {
		note += c.Line
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = io.WriteString(w, note) // the client may be gone
}

// ledgerTile serves the hashes of a tile, which never change.
func (s *Server) ledgerTile(w http.ResponseWriter, req *http.Request) {
	b, err := s.Store.Tile(req.Context(), strings.TrimPrefix(req.URL.Path, "/ledger/"))
	if err != nil {
		writeProblem(w, s.problem(req.Context(), err))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(b) // the client may be gone
}
