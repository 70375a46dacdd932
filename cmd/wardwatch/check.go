package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/spool"
)

type verifyCommand struct{ verify.Command }

// Run verifies offline.
func (v verifyCommand) Run(e *terminal) error {
	code, err := v.Verify(e.out)
	if err == nil && code != 0 {
		err = exitError(code)
	}
	return err
}

type fsckCommand struct {
	JSON    bool `help:"Print the report as JSON."`
	Restart bool `help:"Begin anew instead of going on where the last check was broken off."`
}

// Run checks everything that is stored; it only reads. How far it came is in
// data/fsck.json, so that a check that was broken off goes on.
func (f fsckCommand) Run(e *terminal) error {
	return withStore(e, func(c Config, s *storage.Store) (err error) {
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
	})
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
