package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// sealer encrypts columns with AES-256-GCM under a key outside the
// database. The additional data is "table.column.id", so a sealed value
// moved to another row or column does not open.
type sealer struct {
	aead cipher.AEAD
	find []byte // key of lookup
}

func openSealer(path string) (*sealer, error) {
	key, err := ledger.SecretFile(path, 32)
	if err != nil {
		return nil, fmt.Errorf("open sealing key: %w", err)
	}
	if len(key) != 32 {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "keys.seal", ZH: "密钥文件 seal.key 已损坏，请从备份恢复。", EN: "The key file seal.key is damaged; restore it from its backup."}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open sealing key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("open sealing key: %w", err)
	}
	find, err := hkdf.Key(sha256.New, key, nil, "wardwatch lookup", 32)
	if err != nil {
		return nil, fmt.Errorf("open sealing key: %w", err)
	}
	return &sealer{aead, find}, nil
}

// lookup is what a sealed value is found by: equal for equal values of one
// kind, and says nothing of them without the key.
func (s *sealer) lookup(kind, value string) []byte {
	m := hmac.New(sha256.New, s.find)
	_, _ = m.Write([]byte(kind + "\x00" + value)) // a hash never fails
	return m.Sum(nil)
}

// sealedNothing is the length of an empty value after seal: AES-GCM's nonce
// and tag.
const sealedNothing = 12 + 16

// seal encrypts plain for the cell ad; nil stays nil.
func (s *sealer) seal(plain []byte, ad string) []byte {
	if plain == nil {
		return nil
	}
	return s.aead.Seal(nil, nil, plain, []byte(ad))
}

// open is the reverse of seal.
func (s *sealer) open(sealed []byte, ad string) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(ad))
	if err != nil {
		return nil, fmt.Errorf("unseal %s: wrong key or changed value", ad)
	}
	return plain, nil
}

func (s *sealer) sealTemplate(t ward.Template, ad string) []byte {
	if len(t) == 0 {
		return nil
	}
	b := make([]byte, 0, 4*len(t))
	for _, v := range t {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return s.seal(b, ad)
}

func (s *sealer) openTemplate(sealed []byte, ad string) (ward.Template, error) {
	b, err := s.open(sealed, ad)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	t := make(ward.Template, len(b)/4)
	for i := range t {
		t[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return t, nil
}
