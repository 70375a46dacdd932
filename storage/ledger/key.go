package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"wardwatch/ward"
)

// OpenKey reads the Ed25519 signing key at path, making it when absent.
// The file holds the 32-byte seed.
func OpenKey(path string) (ed25519.PrivateKey, error) {
	seed, err := SecretFile(path, ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "keys.ledger", ZH: "签名密钥文件 ledger.key 已损坏，请从备份恢复。", EN: "The key file ledger.key is damaged; restore it from its backup."}
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Fingerprint is what a court compares out of band: the SHA-256 of the
// 32-byte public key, 64 hex digits.
func Fingerprint(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:])
}
