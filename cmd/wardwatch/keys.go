package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/ledger"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" default:"1" help:"The keys that sign the ledger, with the fingerprints to publish."`
	Rotate keysRotateCommand `cmd:"" help:"Replace the key that signs the ledger. Stop every wardwatch of this installation first."`
	SM2    keysSM2Command    `cmd:"" name:"sm2" help:"Make an SM2 key; from the next start on it signs beside the ledger's own."`
}

type keysListCommand struct{}

// Run prints fingerprints, no secret.
func (keysListCommand) Run(e *terminal) error {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	k, err := ledger.OpenKeys(keyFolder(c))
	if err != nil {
		return err
	}
	line := func(format string, a ...any) {
		if err == nil {
			_, err = fmt.Fprintf(e.out, format+"\n", a...)
		}
	}
	line("存证日志 ledger:      %s", k.Log)
	line("签名密钥 signing key: %s", ledger.Fingerprint(k.Public()))
	for _, r := range k.Rotations {
		line("已更换 replaced:      %s (%s; 重叠至 also signs until %s)", ledger.Fingerprint(r.From), r.At.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	}
	if k.SM2 == nil {
		return err
	}
	sum, fault := k.SM2.Fingerprint()
	line("SM2:                  %s", sum)
	return errors.Join(err, fault)
}

type keysRotateCommand struct {
	Overlap time.Duration `default:"720h" help:"For how long the old key also signs, for witnesses and others who only know it."`
}

// Run replaces the key. Killed at any point, the next start has the old key or the whole new one.
func (k keysRotateCommand) Run(e *terminal) error {
	return withStore(e, func(c Config, s *storage.Store) error {
		r, err := s.RotateKey(e.ctx, k.Overlap)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.out, `已更换签名密钥。 The key was replaced.
旧指纹 old fingerprint: %s
新指纹 new fingerprint: %s
请公布新指纹，备份密钥目录 %s，并复制到其他节点后再启动服务。
Publish the new fingerprint, back the folder %s up, copy it to the other machines, and start the service again.
`, ledger.Fingerprint(r.From), ledger.Fingerprint(r.To), keyFolder(c), keyFolder(c))
		return err
	})
}

type keysSM2Command struct{}

// Run makes the key.
func (keysSM2Command) Run(e *terminal) error {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(keyFolder(c), 0o700); err != nil {
		return err
	}
	k, err := ledger.MakeSM2(keyFolder(c))
	if err != nil {
		return err
	}
	sum, err := k.Fingerprint()
	if err == nil {
		_, err = fmt.Fprintf(e.out, "SM2 公钥指纹 fingerprint: %s\n", sum)
	}
	return err
}

// keyFolder is where the keys are, outside the database.
func keyFolder(c Config) string { return filepath.Join(c.Data, "keys") }
