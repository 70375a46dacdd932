package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/ledger"
)

// key opens the public key, compares its fingerprint, and opens the checkpoint.
func (c *check) key(fingerprint string) {
	b, ok := c.small(pack.KeyName)
	if !ok {
		return
	}
	block, _ := pem.Decode(b)
	if block == nil || !bytes.Equal(pem.EncodeToMemory(block), b) {
		c.report.fail(pack.KeyName, "公钥格式不对。", "It is not a public key in PEM.")
		return
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	pub, isEd := parsed.(ed25519.PublicKey)
	if err != nil || !isEd {
		c.report.fail(pack.KeyName, "不是 Ed25519 公钥。", "It is not an Ed25519 public key.")
		return
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil || !bytes.Equal(der, block.Bytes) || len(block.Headers) != 0 || block.Type != "PUBLIC KEY" {
		c.report.fail(pack.KeyName, "公钥格式不对。", "It is not the only form of the key.")
		return
	}
	c.report.Fingerprint = ledger.Fingerprint(pub)
	rotations, ok := c.rotations(pub)
	if !ok {
		return
	}
	if want := strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(fingerprint))); want != "" {
		c.former(rotations, want)
		if want != c.report.Fingerprint && c.report.Former.IsZero() {
			c.report.fail(pack.KeyName, "公钥指纹与给定的指纹不同：本包不是由该系统签署。", "The key's fingerprint is not the given one: this package was not signed by that system.")
		} else {
			c.report.Compared = true
		}
	}
	c.pub = pub
	text, ok := c.small(pack.CheckpointName)
	if !ok {
		return
	}
	c.note = string(text)
	tree, err := ledger.OpenCheckpoint(c.note, pub)
	if err != nil {
		c.report.fail(pack.CheckpointName, "签名无效。", "The signature is not valid: "+err.Error())
		return
	}
	if len(rotations) == 0 && tree.Log != ledger.Origin(pub) || len(rotations) > 0 && (tree.Log != rotations[0].Log || tree.Size <= rotations[len(rotations)-1].Size) {
		c.report.fail(pack.CheckpointName, "签名的日志名称与密钥不符。", "The checkpoint is of a ledger with another name than its key's.")
		return
	}
	c.tree, c.report.LedgerSize = tree, tree.Size
}

// rotations reads the statements that lead to pub; ok is false when they do not.
func (c *check) rotations(pub ed25519.PublicKey) (all []ledger.Rotation, ok bool) {
	if c.byName[pack.RotationsName] == nil {
		return nil, true
	}
	b, ok := c.small(pack.RotationsName)
	if !ok {
		return nil, false
	}
	all, err := ledger.ParseRotations(string(b))
	if err != nil || len(all) == 0 || !all[len(all)-1].To.Equal(pub) {
		c.report.fail(pack.RotationsName, "密钥更换声明无效，或不通向本包的公钥。", "The statements of replaced keys are not valid, or do not lead to the key of this package.")
		return nil, false
	}
	return all, true
}

// former notes that the given fingerprint is of a key that was replaced.
func (c *check) former(rotations []ledger.Rotation, fingerprint string) {
	for _, r := range rotations {
		if ledger.Fingerprint(r.From) == fingerprint {
			c.report.Former = r.At
		}
	}
}
