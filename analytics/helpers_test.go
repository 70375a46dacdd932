package analytics_test

import (
	"crypto/sha256"
	"io"
	"strings"
)

func fileOf(s string) io.Reader { return strings.NewReader(s) }

func sha(s string) [32]byte { return sha256.Sum256([]byte(s)) }
