package main

import (
	"errors"
	"io"
	"net/url"
	"os"
	"slices"

	"wardwatch/rounds"
	"wardwatch/rounds/drand"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

type drawCommand struct {
	Verify drawVerifyCommand `cmd:"" help:"Replay a draw from its proof, offline."`
}

type drawVerifyCommand struct {
	Proof string   `arg:"" help:"The proof (JSON file), or the id of a draw in this database."`
	Key   string   `help:"Fingerprint of the ledger key, 64 hex digits, from outside the proof." placeholder:"FINGERPRINT"`
	Chain []string `help:"Trust this drand chain beside quicknet." placeholder:"HASH"`
}

// Help says what the exit code means.
func (drawVerifyCommand) Help() string {
	return "Exit codes: 0 verified, 1 changed or does not follow, 2 unreadable, 3 no key given."
}

// Run verifies a file offline, or a draw of the configured database.
func (v drawVerifyCommand) Run(e *terminal) error {
	b, err := v.read(e)
	if err != nil {
		return err
	}
	r := draw.Verify(b, draw.Options{Fingerprint: v.Key, Chains: v.Chain})
	err = draw.Print(e.out, r)
	if code := r.Exit(); err == nil && code != draw.ExitVerified {
		err = exitError(code)
	}
	return err
}

func (v drawVerifyCommand) read(e *terminal) (_ []byte, err error) {
	f, err := os.Open(v.Proof)
	if err == nil {
		defer func() { _ = f.Close() }() // only read
		b, err := io.ReadAll(io.LimitReader(f, draw.MaxProof+1))
		if err != nil {
			return nil, noProof(err)
		}
		return b, nil
	}
	if !errors.Is(err, os.ErrNotExist) || !ward.ValidID(v.Proof) {
		return nil, noProof(err)
	}
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.Data); err != nil {
		return nil, noProof(err)
	}
	s, err := storage.Open(e.ctx, storeOptions(c, e.log))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	id := ward.DrawID(v.Proof)
	if _, err := s.Draw(e.ctx, id); err != nil {
		return nil, err
	}
	return (&rounds.Drawer{Store: s, Log: e.log}).Proof(e.ctx, id)
}

func noProof(err error) error {
	return &ward.Error{Kind: ward.Invalid, Code: "proof.unreadable", ZH: "无法读取抽取证明，请检查路径、编号和权限。", EN: "The proof cannot be read; check its path, the id and permissions.", Err: err}
}

// Draws says which randomness beacon draws use.
type Draws struct {
	Relays []string `koanf:"relays"` // of the beacon, https; none: rounds are given by hand
	Chain  Chain    `koanf:"chain"`
}

// Chain is a drand chain as its relays' /info tells it. The hash commits to the rest.
type Chain struct {
	Hash      string `koanf:"hash"`
	PublicKey string `koanf:"public_key"`
	Period    int64  `koanf:"period"`
	Genesis   int64  `koanf:"genesis"`
	GroupHash string `koanf:"group_hash"`
	BeaconID  string `koanf:"beacon_id"`
}

func (c Chain) drand() drand.Chain { return drand.Chain(c) }

func (d Draws) check() bool {
	return d.Chain.drand().Check() == nil && !slices.ContainsFunc(d.Relays, func(r string) bool {
		u, err := url.Parse(r)
		return err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http"
	})
}
