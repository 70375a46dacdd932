package ledger

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"wardwatch/ward"
)

// algSM2 is how a note names a kind of key that C2SP has no number for: 0xff
// and an identifier (signed-note, "Signature types").
const algSM2 = 0xff

const sm2Identifier = "sm2-with-sm3"

const sm2File = "sm2.key" // the 32-byte private scalar, big endian

// SM2 signs checkpoints a second time, by GB/T 32918 with the default
// identity 1234567812345678 and SM3 (GB/T 32905).
type SM2 struct{ key *sm2.PrivateKey }

// MakeSM2 makes the key in dir; it signs from the next start on.
func MakeSM2(dir string) (*SM2, error) {
	k, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make SM2 key: %w", err)
	}
	err = createDurable(filepath.Join(dir, sm2File), k.D.FillBytes(make([]byte, 32)))
	if errors.Is(err, fs.ErrExist) {
		return nil, &ward.Error{Kind: ward.Conflict, Code: "keys.sm2", ZH: "已有 SM2 密钥。", EN: "There is an SM2 key already."}
	}
	if err != nil {
		return nil, fmt.Errorf("make SM2 key: %w", err)
	}
	return &SM2{k}, nil
}

func openSM2(dir string) (*SM2, error) {
	b, err := os.ReadFile(filepath.Join(dir, sm2File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open SM2 key: %w", err)
	}
	k, err := sm2.NewPrivateKey(b)
	if err != nil {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "keys.sm2_damaged", ZH: "密钥文件 sm2.key 已损坏，请从备份恢复。", EN: "The key file sm2.key is damaged; restore it from its backup.", Err: err}
	}
	return &SM2{k}, nil
}

// PEM is the public key as other tools read it.
func (k *SM2) PEM() ([]byte, error) {
	der, err := smx509.MarshalPKIXPublicKey(&k.key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encode SM2 key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// Fingerprint is the SHA-256 of PEM, 64 hex digits.
func (k *SM2) Fingerprint() (string, error) {
	b, err := k.PEM()
	return SM2Fingerprint(b), err
}

// SM2Fingerprint is what somebody compares out of band: the SHA-256 of the
// public key's PEM file, as sha256sum prints it.
func SM2Fingerprint(pemFile []byte) string {
	sum := sha256.Sum256(pemFile)
	return hex.EncodeToString(sum[:])
}

// Sign returns the line "— NAME BASE64\n" for text: the key's hash and the 64
// bytes r, s. SM2 draws a number each time: the same text gives other bytes.
func (k *SM2) Sign(text, name string) (string, error) {
	r, s, err := sm2.SignWithSM2(rand.Reader, &k.key.PrivateKey, nil, []byte(text))
	if err != nil {
		return "", fmt.Errorf("sign by SM2: %w", err)
	}
	public, err := k.PEM()
	if err != nil {
		return "", err
	}
	sig := binary.BigEndian.AppendUint32(nil, sm2Hash(name, public))
	sig = append(sig, r.FillBytes(make([]byte, 32))...)
	sig = append(sig, s.FillBytes(make([]byte, 32))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n", nil
}

func sm2Hash(name string, public []byte) uint32 {
	return keyHash(name, algSM2, append([]byte(sm2Identifier), public...))
}

// CheckSM2 verifies that line is the signature of checkpoint, as Sign wrote
// it, by the key of a PEM file.
func CheckSM2(checkpoint, line string, pemFile []byte) error {
	text, err := Text(checkpoint)
	if err != nil {
		return err
	}
	block, rest := pem.Decode(pemFile)
	if block == nil || len(rest) != 0 || !bytes.Equal(pem.EncodeToMemory(block), pemFile) {
		return errors.New("not a public key in PEM")
	}
	parsed, err := smx509.ParsePKIXPublicKey(block.Bytes)
	pub, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || !sm2.IsSM2PublicKey(pub) {
		return errors.New("not an SM2 public key")
	}
	name, _, _ := strings.Cut(text, "\n")
	encoded, ok := strings.CutPrefix(line, "— "+name+" ")
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, "\n"))
	if !ok || err != nil || len(sig) != 4+64 || line != "— "+name+" "+base64.StdEncoding.EncodeToString(sig)+"\n" ||
		binary.BigEndian.Uint32(sig) != sm2Hash(name, pemFile) {
		return errors.New("not a signature by this SM2 key")
	}
	if !sm2.VerifyWithSM2(pub, nil, []byte(text), new(big.Int).SetBytes(sig[4:36]), new(big.Int).SetBytes(sig[36:])) {
		return errors.New("the SM2 signature is not valid")
	}
	return nil
}
