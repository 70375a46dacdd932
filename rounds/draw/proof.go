package draw

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// Format is the form of a proof.
const Format = "wardwatch-draw-proof/1"

// MaxProof bounds a proof in bytes: 2,000 candidates take some 300 kB.
const MaxProof = 16 << 20

// Proof is all that a stranger needs to replay a draw: the sealed steps, that
// they are in the ledger, and the ledger's signature. It holds ids and salts
// of the seals, and no names.
type Proof struct {
	Format     string      `json:"format"`
	Draw       ward.DrawID `json:"draw"`
	Key        string      `json:"key"`        // of the ledger: Ed25519, base64
	Checkpoint string      `json:"checkpoint"` // the signed note
	Steps      []ProofStep `json:"steps"`
}

// ProofStep is one sealed step: its exact bytes and its place in the ledger.
type ProofStep struct {
	Sealed string   `json:"sealed"`
	Index  int64    `json:"index"`
	Hashes []string `json:"hashes"` // of the inclusion proof, RFC 6962, base64
}

// Ref is the ledger's id of a step.
func Ref(d ward.DrawID, seq int64) string { return string(d) + "/" + strconv.FormatInt(seq, 10) }

// SumOf is the SHA-256 of sealed bytes, in hex.
func SumOf(sealed []byte) string {
	sum := sha256.Sum256(sealed)
	return hex.EncodeToString(sum[:])
}

// NewProof begins a proof; Add adds its steps in order.
func NewProof(d ward.DrawID, key ed25519.PublicKey, checkpoint string) Proof {
	return Proof{Format: Format, Draw: d, Key: base64.StdEncoding.EncodeToString(key), Checkpoint: checkpoint}
}

// Add adds the step that was sealed as these bytes.
func (p *Proof) Add(sealed []byte, in ledger.Proof) {
	s := ProofStep{Sealed: string(sealed), Index: in.Index, Hashes: make([]string, len(in.Hashes))}
	for i, h := range in.Hashes {
		s.Hashes[i] = h.String()
	}
	p.Steps = append(p.Steps, s)
}

// Bytes is the proof in its only form.
func (p Proof) Bytes() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("write proof of draw %s: %w", p.Draw, err)
	}
	return b.Bytes(), nil
}

// Parse reads what Bytes wrote, and nothing that differs from it in any byte.
// It verifies nothing; see Verify.
func Parse(b []byte) (Proof, error) {
	var p Proof
	if len(b) > MaxProof {
		return p, errors.New("the proof is too large")
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("not a proof of a draw: %w", err)
	}
	if p.Format != Format {
		return p, errors.New("not a proof of a draw, or of a newer form")
	}
	again, err := p.Bytes()
	if err != nil {
		return p, err
	}
	if !bytes.Equal(again, b) {
		return p, errors.New("not a proof of a draw in its only form")
	}
	return p, nil
}

func (s ProofStep) proof() (ledger.Proof, error) {
	p := ledger.Proof{Index: s.Index}
	for _, text := range s.Hashes {
		h, err := tlog.ParseHash(text)
		if err != nil || h.String() != text {
			return p, errors.New("not a hash")
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}

// into reads the record inside sealed bytes, and refuses fields that this
// version does not know: they could change what the record means.
func into(record json.RawMessage, v any) error {
	d := json.NewDecoder(bytes.NewReader(record))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// ReadCommitment reads the record of a first step.
func ReadCommitment(record []byte) (Commitment, error) {
	var c Commitment
	err := into(record, &c)
	return c, err
}

// ReadResult reads the record of a result.
func ReadResult(record []byte) (Result, error) {
	var r Result
	err := into(record, &r)
	return r, err
}
