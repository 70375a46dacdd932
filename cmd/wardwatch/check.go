package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/evidence"
	"wardwatch/storage/ledger"
	"wardwatch/storage/spool"
	"wardwatch/storage/timestamp"
	"wardwatch/ward"
)

type verifyCommand struct {
	File    string   `arg:"" help:"The evidence package (zip)."`
	Key     string   `help:"Fingerprint of the ledger key, 64 hex digits, from outside the package." placeholder:"FINGERPRINT"`
	Keyless bool     `help:"Accept the package's own key: proves only that it is consistent in itself."`
	Witness []string `help:"Key of a witness that must have signed; may be repeated." placeholder:"KEY"`
	TSA     string   `help:"Certificates (PEM) of the time-stamping authority that must have stamped it." placeholder:"FILE"`
}

// Help says what the exit code means.
func (verifyCommand) Help() string {
	return "Exit codes: 0 verified, 1 changed or not proven, 2 unreadable, 3 no key given, 4 incomplete."
}

// Run verifies offline.
func (v verifyCommand) Run(e *terminal) error {
	trust, err := v.trust()
	if err != nil {
		return err
	}
	code, err := evidence.VerifyFile(e.out, v.File, trust, v.Keyless)
	if err == nil && code != 0 {
		err = exitError(code)
	}
	return err
}

func (v verifyCommand) trust() (evidence.Trust, error) {
	t := evidence.Trust{Fingerprint: v.Key}
	for _, vkey := range v.Witness {
		w, err := ledger.ParseWitness(vkey)
		if err != nil {
			return t, &ward.Error{Kind: ward.Invalid, Code: "verify.witness", ZH: "--witness 不是见证方的密钥：" + err.Error(), EN: "--witness is no witness's key: " + err.Error()}
		}
		t.Witnesses = append(t.Witnesses, w)
	}
	if v.TSA == "" {
		return t, nil
	}
	b, err := os.ReadFile(v.TSA)
	if err == nil {
		t.Authorities, err = timestamp.Roots(b)
	}
	if err != nil {
		return t, &ward.Error{Kind: ward.Invalid, Code: "verify.tsa", ZH: "--tsa 无法读取证书：" + err.Error(), EN: "--tsa: the certificates cannot be read: " + err.Error()}
	}
	return t, nil
}

type fsckCommand struct {
	JSON    bool `help:"Print the report as JSON."`
	Restart bool `help:"Begin anew instead of going on where the last check was broken off."`
}

// Run checks everything that is stored; it only reads. How far it came is in
// data/fsck.json, so that a check that was broken off goes on.
func (f fsckCommand) Run(e *terminal) (err error) {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	s, err := storage.Open(e.ctx, storeOptions(c, e.log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	objs, err := openObjects(e.ctx, c)
	if err != nil {
		return err
	}
	sp, err := spool.Open(filepath.Join(c.Data, "spool"), spool.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sp.Close()) }()
	r, err := s.Fsck(e.ctx, storage.Media{Objects: objs, Spool: sp}, storage.FsckOptions{
		Cursor: filepath.Join(c.Data, "fsck.json"), Restart: f.Restart, Progress: (&fsckMeter{out: e.errs}).show,
	})
	if err != nil {
		return err
	}
	if f.JSON {
		err = json.NewEncoder(e.out).Encode(r)
	} else {
		err = printFsck(e, r)
	}
	if err == nil && !r.OK() {
		return exitError(exitFailed)
	}
	return err
}

func printFsck(e *terminal, r storage.FsckReport) error {
	for _, p := range r.Problems {
		if _, err := fmt.Fprintf(e.out, "%s: %s %s\n", p.Where, p.ZH, p.EN); err != nil {
			return err
		}
	}
	for _, q := range r.Quarantined {
		if _, err := fmt.Fprintf(e.out, "quarantined: %s -> %s (%d bytes, %s)\n", q.Origin, q.MovedTo, q.Bytes, q.Found.Format(time.RFC3339)); err != nil {
			return err
		}
	}
	verdict := "ok"
	if !r.OK() {
		verdict = fmt.Sprintf("%d problems", int64(len(r.Problems))+r.More)
	}
	_, err := fmt.Fprintf(e.out, "fsck: %s (%d leaves, %d signed, %d rows, %d segments, %d objects)\n", verdict, r.Leaves, r.Signed, r.Rows, r.Segments, r.Objects)
	return err
}
