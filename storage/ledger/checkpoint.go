package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// algEd25519 is the algorithm byte of an Ed25519 key in a signed note.
const algEd25519 = 1

// Checkpoint is a statement of the log's whole content up to Size leaves
// (C2SP tlog-checkpoint).
type Checkpoint struct {
	Log  string // its name, see Origin
	Size int64
	Root tlog.Hash
}

// Origin names a log in checkpoints: "wardwatch/" and the first 12 hex
// digits of the fingerprint of its first key. The name stays when the key is
// replaced.
func Origin(pub ed25519.PublicKey) string { return "wardwatch/" + Fingerprint(pub)[:12] }

// isOrigin says whether name has the form of Origin.
func isOrigin(name string) bool {
	hex, ok := strings.CutPrefix(name, "wardwatch/")
	return ok && len(hex) == 12 && strings.Trim(hex, "0123456789abcdef") == ""
}

// Verifier is a key of the log in the encoding of signed notes, as witnesses
// and other tools for transparency logs take it.
func Verifier(log string, pub ed25519.PublicKey) string {
	return log + "+" + fmt.Sprintf("%08x", keyHash(log, algEd25519, pub)) + "+" + base64.StdEncoding.EncodeToString(keyBytes(pub))
}

func keyBytes(pub []byte) []byte { return append([]byte{algEd25519}, pub...) }

// keyHash is how a signature in a note names its key (C2SP signed-note).
func keyHash(name string, alg byte, key []byte) uint32 {
	sum := sha256.Sum256(slices.Concat([]byte(name+"\n"), []byte{alg}, key))
	return binary.BigEndian.Uint32(sum[:4])
}

func (c Checkpoint) text() string {
	return c.Log + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// Sign returns c as a signed note. Ed25519 is deterministic: the same
// checkpoint and key give the same bytes.
func (c Checkpoint) Sign(key ed25519.PrivateKey) (string, error) {
	line, err := signatureLine(c.text(), c.Log, key)
	return c.text() + "\n" + line, err
}

// signatureLine is "— NAME BASE64\n" for text (C2SP signed-note).
func signatureLine(text, name string, key ed25519.PrivateKey) (string, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || !validName(name) {
		return "", errors.New("sign checkpoint: not a name and an Ed25519 key")
	}
	sig := binary.BigEndian.AppendUint32(nil, keyHash(name, algEd25519, pub))
	sig = append(sig, ed25519.Sign(key, []byte(text))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n", nil
}

// OpenCheckpoint verifies that signed is a checkpoint by pub, in the one
// form that Sign writes: every changed byte is an error, also one that a
// lenient decoder would not mind.
func OpenCheckpoint(signed string, pub ed25519.PublicKey) (Checkpoint, error) {
	log, _, _ := strings.Cut(signed, "\n")
	if !isOrigin(log) {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %q is not the name of a ledger", log)
	}
	c, err := OpenSigned(signed, Verifier(log, pub))
	if err != nil {
		return c, err
	}
	_, line, _ := strings.Cut(signed, "\n\n")
	encoded, _ := strings.CutPrefix(line, "— "+log+" ")
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, "\n"))
	if err != nil || signed != c.text()+"\n— "+log+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
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
	c := Checkpoint{Log: origin}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 1 {
		return Checkpoint{}, fmt.Errorf("open checkpoint: size %q", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: root %q", lines[2])
	}
	if text != c.text() {
		return Checkpoint{}, fmt.Errorf("open checkpoint: not of %q, or not in its only form", origin)
	}
	return c, nil
}
