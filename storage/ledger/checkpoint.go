package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// algEd25519 is the algorithm byte of an Ed25519 key in a signed note.
const algEd25519 = 1

// Checkpoint is a statement of the log's whole content up to Size leaves
// (C2SP tlog-checkpoint).
type Checkpoint struct {
	Size int64
	Root tlog.Hash
}

// Origin names the log and its key in checkpoints: "wardwatch/" and the
// first 12 hex digits of the key's fingerprint.
func Origin(pub ed25519.PublicKey) string { return "wardwatch/" + Fingerprint(pub)[:12] }

// Verifier is the key in the encoding of signed notes, as witnesses and
// other tools for transparency logs take it.
func Verifier(pub ed25519.PublicKey) string {
	return Origin(pub) + "+" + fmt.Sprintf("%08x", keyHash(pub)) + "+" + base64.StdEncoding.EncodeToString(keyBytes(pub))
}

func keyBytes(pub []byte) []byte { return append([]byte{algEd25519}, pub...) }

func keyHash(pub ed25519.PublicKey) uint32 {
	sum := sha256.Sum256(append([]byte(Origin(pub)+"\n"), keyBytes(pub)...))
	return binary.BigEndian.Uint32(sum[:4])
}

func (c Checkpoint) text(origin string) string {
	return origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// Sign returns c as a signed note. Ed25519 is deterministic: the same
// checkpoint and key give the same bytes.
func (c Checkpoint) Sign(key ed25519.PrivateKey) (string, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("sign checkpoint: not an Ed25519 key")
	}
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", Origin(pub), keyHash(pub), base64.StdEncoding.EncodeToString(keyBytes(key.Seed())))
	signer, err := note.NewSigner(skey)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.text(Origin(pub))}, signer)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	return string(signed), nil
}

// OpenCheckpoint verifies that signed is a checkpoint by pub, in the one
// form that Sign writes: every changed byte is an error, also one that a
// lenient decoder would not mind.
func OpenCheckpoint(signed string, pub ed25519.PublicKey) (Checkpoint, error) {
	v, err := note.NewVerifier(Verifier(pub))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	c, err := parseText(n.Text, Origin(pub))
	if err != nil {
		return Checkpoint{}, err
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: signature: %w", err)
	}
	text := c.text(Origin(pub))
	if signed != text+"\n— "+Origin(pub)+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
		return Checkpoint{}, errors.New("open checkpoint: not in its only form")
	}
	return c, nil
}

// parseText reads what a checkpoint signs: origin, size, root, each in its
// only form, and nothing else.
func parseText(text, origin string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, errors.New("open checkpoint: not three lines")
	}
	var c Checkpoint
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 1 {
		return Checkpoint{}, fmt.Errorf("open checkpoint: size %q", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: root %q", lines[2])
	}
	if text != c.text(origin) {
		return Checkpoint{}, fmt.Errorf("open checkpoint: not of %q, or not in its only form", origin)
	}
	return c, nil
}
