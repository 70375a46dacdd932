package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// algCosignature is the algorithm byte of a witness's Ed25519 key (C2SP
// tlog-cosignature, cosignature/v1): what it signs has a time.
const algCosignature = 4

// A Witness is who signs that the log only ever grew, with its own key on a
// machine of somebody else.
type Witness struct {
	Name string
	Key  ed25519.PublicKey
}

// ParseWitness reads a witness's key as C2SP writes it, "NAME+HASH+KEY".
func ParseWitness(vkey string) (Witness, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, key, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algCosignature {
		return Witness{}, fmt.Errorf("witness key %q: not the key of a witness (NAME+HASH+KEY, of type %d)", vkey, algCosignature)
	}
	w := Witness{Name: name, Key: raw[1:]}
	if !validName(name) || hash != fmt.Sprintf("%08x", w.hash()) {
		return Witness{}, fmt.Errorf("witness key %q: its name and its hash do not belong together", vkey)
	}
	return w, nil
}

// validName says whether name may stand in a signed note.
func validName(name string) bool { return name != "" && !strings.ContainsAny(name, "+ \n\t\r") }

func (w Witness) String() string {
	return w.Name + "+" + fmt.Sprintf("%08x", w.hash()) + "+" + base64.StdEncoding.EncodeToString(w.bytes())
}

func (w Witness) bytes() []byte { return append([]byte{algCosignature}, w.Key...) }

func (w Witness) hash() uint32 {
	sum := sha256.Sum256(append([]byte(w.Name+"\n"), w.bytes()...))
	return binary.BigEndian.Uint32(sum[:4])
}

// Text is the part of a checkpoint that is signed, with its last newline.
func Text(checkpoint string) (string, error) {
	text, _, ok := strings.Cut(checkpoint, "\n\n")
	if !ok {
		return "", errors.New("not a signed note")
	}
	return text + "\n", nil
}

// Cosign returns the line ("— NAME BASE64\n") by which the witness of that
// name and key says at t that it saw checkpoint and that the log had only
// grown.
func Cosign(checkpoint, name string, key ed25519.PrivateKey, t time.Time) (string, error) {
	text, err := Text(checkpoint)
	if err != nil {
		return "", err
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || !validName(name) {
		return "", errors.New("cosign: not a name and an Ed25519 key")
	}
	sec := t.Unix()
	if sec < 0 {
		return "", fmt.Errorf("cosign: the clock says %v", t)
	}
	sig := binary.BigEndian.AppendUint32(nil, Witness{name, pub}.hash())
	sig = binary.BigEndian.AppendUint64(sig, uint64(sec))
	sig = append(sig, ed25519.Sign(key, cosigned(text, sec))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n", nil
}

func cosigned(text string, sec int64) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatInt(sec, 10) + "\n" + text)
}

// CheckCosignature verifies that line is what the witness says of checkpoint,
// in the one form that Cosign writes, and returns when it said so (to the second).
func (w Witness) CheckCosignature(checkpoint, line string) (time.Time, error) {
	text, err := Text(checkpoint)
	if err != nil {
		return time.Time{}, err
	}
	encoded, ok := strings.CutPrefix(line, "— "+w.Name+" ")
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, "\n"))
	if !ok || err != nil || len(sig) != 4+8+ed25519.SignatureSize || binary.BigEndian.Uint32(sig) != w.hash() {
		return time.Time{}, fmt.Errorf("not a cosignature of %s", w.Name)
	}
	at := binary.BigEndian.Uint64(sig[4:])
	if at > math.MaxInt64 || !ed25519.Verify(w.Key, cosigned(text, int64(at)), sig[12:]) {
		return time.Time{}, fmt.Errorf("the cosignature of %s is not valid", w.Name)
	}
	if line != "— "+w.Name+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
		return time.Time{}, fmt.Errorf("the cosignature of %s is not in its only form", w.Name)
	}
	return time.Unix(int64(at), 0).UTC(), nil
}

// OpenSigned verifies the signature of the log's own key, in C2SP's encoding
// (see Verifier), on a checkpoint that may have further ones.
func OpenSigned(checkpoint, vkey string) (Checkpoint, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	return parseText(n.Text, v.Name())
}
