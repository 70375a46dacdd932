package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wardwatch/storage/ledger"
	"wardwatch/storage/timestamp"
	"wardwatch/storage/timestamp/tsa"
	"wardwatch/storage/witness"
	"wardwatch/ward"
)

// witnessCommand runs on a machine of somebody else: the inspectorate above,
// a court, a notary. It needs no database and no configuration.
type witnessCommand struct {
	Name   string   `arg:"" help:"The witness's name in signatures, such as witness.example.org."`
	Log    []string `required:"" help:"Key of a ledger to sign for, as GET /api/v1/ledger/key gives it (verifier); may be repeated." placeholder:"KEY"`
	Data   string   `default:"witness" type:"path" help:"Folder of the witness's key and memory." placeholder:"FOLDER"`
	Listen string   `default:"127.0.0.1:8081" help:"Address to listen on; put a TLS proxy in front of it." placeholder:"HOST:PORT"`
}

// Help says what it is for.
func (witnessCommand) Help() string {
	return "Signs the checkpoints of ledgers as long as they only grow (C2SP tlog-witness), and refuses a ledger that was rewritten or rolled back. " +
		"It prints its own key, which belongs in ledger.witnesses of the ledger's service, and to those who verify packages."
}

// Run serves until it is told to stop.
func (c witnessCommand) Run(e *terminal) (err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return badWitness(err)
	}
	key, err := ledger.OpenKey(filepath.Join(c.Data, "witness.key"))
	if err != nil {
		return badWitness(err)
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("not an Ed25519 key")
	}
	self, err := ledger.ParseWitness(ledger.Witness{Name: c.Name, Key: pub}.String())
	if err != nil {
		return badWitness(err)
	}
	w, err := witness.Open(filepath.Join(c.Data, "witness.json"), c.Name, key, c.Log, e.log)
	if err != nil {
		return badWitness(err)
	}
	l, err := new(net.ListenConfig).Listen(e.ctx, "tcp", c.Listen)
	if err != nil {
		return badWitness(err)
	}
	if _, err := fmt.Fprintf(e.out, "%s\nhttp://%s %s\n", self, l.Addr(), self); err != nil {
		return errors.Join(err, l.Close())
	}
	s := &http.Server{Handler: w, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err = <-done:
		return err
	case <-e.ctx.Done():
	}
	return errors.Join(s.Close(), ignoreClosed(<-done))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func badWitness(err error) error {
	return &ward.Error{Kind: ward.Invalid, Code: "witness.start", Err: err, ZH: "见证服务无法启动：" + err.Error(), EN: "The witness cannot start: " + err.Error()}
}

// Ledger says who signs the ledger beside us.
type Ledger struct {
	Witnesses  []string   `koanf:"witnesses"` // "https://witness.example.org NAME+HASH+KEY"
	Timestamps Timestamps `koanf:"timestamps"`
}

// Timestamps says which authority stamps the ledger (RFC 3161).
type Timestamps struct {
	URL          string `koanf:"url"`          // empty: none
	Certificates string `koanf:"certificates"` // PEM file of the roots that must have issued its certificate
}

// authority reads ledger.timestamps; nil: there is none.
func (t Timestamps) authority() (*tsa.Authority, error) {
	if t.URL == "" {
		return nil, nil //nolint:nilnil // none is no error
	}
	if !isHTTP(t.URL) {
		return nil, fmt.Errorf("%q does not begin with https:// or http://", t.URL)
	}
	b, err := os.ReadFile(t.Certificates)
	if err != nil {
		return nil, err
	}
	roots, err := timestamp.Roots(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Certificates, err)
	}
	return &tsa.Authority{URL: t.URL, Roots: roots}, nil
}

func isHTTP(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}

// peers reads ledger.witnesses.
func (c Ledger) peers() ([]witness.Peer, error) {
	var out []witness.Peer
	seen := map[string]bool{}
	for _, text := range c.Witnesses {
		url, vkey, _ := strings.Cut(strings.TrimSpace(text), " ")
		key, err := ledger.ParseWitness(strings.TrimSpace(vkey))
		if err != nil {
			return nil, err
		}
		if !isHTTP(url) {
			return nil, fmt.Errorf("%q does not begin with https:// or http://", url)
		}
		if seen[key.Name] {
			return nil, fmt.Errorf("two witnesses are named %q", key.Name)
		}
		seen[key.Name] = true
		out = append(out, witness.Peer{URL: url, Key: key})
	}
	return out, nil
}
