package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"wardwatch/storage/evidence/pack"
)

// documentZone is that of the times on documents.
const documentZone = "Asia/Shanghai"

// systemOf says which program with which configuration this is, as evidence
// packages tell it. No secret is in what is hashed.
func systemOf(c Config) (*pack.System, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open(self)
	if err != nil {
		return nil, fmt.Errorf("read this program: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	program := sha256.New()
	if _, err := io.Copy(program, f); err != nil {
		return nil, fmt.Errorf("read this program: %w", err)
	}
	if u, err := url.Parse(c.Database); err == nil && u.User != nil {
		u.User = url.User(u.User.Username())
		c.Database = u.String()
	} else if err != nil {
		c.Database = "***"
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	config := sha256.Sum256(b)
	return &pack.System{Program: hex.EncodeToString(program.Sum(nil)), Config: hex.EncodeToString(config[:]), Zone: documentZone}, nil
}
