package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// proofHeader is the first line of a C2SP tlog-proof.
const proofHeader = "c2sp.org/tlog-proof@v1"

// Proof says that the leaf at Index is in the tree of a signed checkpoint.
type Proof struct {
	Index      int64
	Hashes     tlog.RecordProof
	Checkpoint string // the signed note
}

// String is the proof as a C2SP tlog-proof@v1 file.
func (p Proof) String() string {
	var b strings.Builder
	b.WriteString(proofHeader + "\nindex " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n" + p.Checkpoint)
	return b.String()
}

// ParseProof reads what String wrote, and nothing that differs from it in
// any byte. It verifies nothing; see Check.
func ParseProof(s string) (Proof, error) {
	head, note, ok := strings.Cut(s, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0] != proofHeader || !strings.HasPrefix(lines[1], "index ") {
		return Proof{}, errors.New("not a tlog-proof")
	}
	p := Proof{Checkpoint: note}
	var err error
	if p.Index, err = strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64); err != nil || p.Index < 0 {
		return Proof{}, errors.New("not a tlog-proof: bad index")
	}
	for _, l := range lines[2:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return Proof{}, errors.New("not a tlog-proof: bad hash")
		}
		p.Hashes = append(p.Hashes, h)
	}
	if p.String() != s {
		return Proof{}, errors.New("not a tlog-proof in its only form")
	}
	return p, nil
}

// Check verifies that leaf is in the tree of c, which the caller has
// opened from p.Checkpoint.
func (p Proof) Check(leaf []byte, c Checkpoint) error {
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("check leaf %d: %w", p.Index, err)
	}
	return nil
}
