package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// FsckReport is what Fsck looked at and what was wrong.
type FsckReport struct {
	Leaves   int64         `json:"leaves"`   // of the ledger
	Signed   int64         `json:"signed"`   // of them, under a valid signature
	Rows     int64         `json:"rows"`     // compared with their sealed record
	Segments int64         `json:"segments"` // whose bytes were hashed
	Objects  int64         `json:"objects"`  // listed in the store
	Problems []FsckProblem `json:"problems"`
	// More counts the problems beyond maxProblems.
	More int64 `json:"more"`
}

// FsckProblem is one thing that is wrong. Where names it: "segment/ID",
// "object/KEY", "leaf/N", "log_hash/N", "checkpoint/N", "TABLE/ID".
type FsckProblem struct {
	Where string `json:"where"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

// OK says that nothing was wrong.
func (r FsckReport) OK() bool { return len(r.Problems) == 0 }

// maxProblems bounds the list when a whole store is gone.
const maxProblems = 1000

// fsck is one check of everything.
type fsck struct {
	s        *Store
	media    Media
	progress func(what string, done int64)
	FsckReport
}

// Fsck proves that what is stored is what was sealed: the ledger against
// its signatures, every row against its sealed record, every segment and
// picture against its hash, every recording in the store against its row. It
// only reads, and may run beside a working system: what changes meanwhile is
// looked at again before it is called a problem. progress may be nil. The
// error is that the check itself could not go on.
func (s *Store) Fsck(ctx context.Context, m Media, progress func(what string, done int64)) (FsckReport, error) {
	if progress == nil {
		progress = func(string, int64) {}
	}
	f := &fsck{s: s, media: m, progress: progress, FsckReport: FsckReport{Problems: []FsckProblem{}}}
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"ledger", f.ledger}, {"rows", f.rows}, {"absent rows", f.absent}, {"segments", f.segments}, {"pictures", f.pictures}, {"objects", f.objects},
	} {
		if err := step.run(ctx); err != nil {
			return f.FsckReport, fmt.Errorf("fsck %s: %w", step.what, err)
		}
	}
	return f.FsckReport, nil
}

func (f *fsck) bad(where, zh, en string) {
	if len(f.Problems) >= maxProblems {
		f.More++
		return
	}
	f.Problems = append(f.Problems, FsckProblem{where, zh, en})
}

// segments hashes the bytes of every segment that should have some.
func (f *fsck) segments(ctx context.Context) error {
	return eachSegment(ctx, f.s, func(g ward.Segment) error {
		if g.State == ward.Deleted {
			return nil
		}
		f.Segments++
		f.progress("segments", f.Segments)
		first, err := f.segment(ctx, g)
		if err != nil || first == nil {
			return err
		}
		// It may have been uploaded, or removed by retention, meanwhile.
		if g, err = f.s.Segment(ctx, g.ID); err != nil {
			return err
		}
		if g.State == ward.Deleted {
			return nil
		}
		again, err := f.segment(ctx, g)
		if err == nil && again != nil {
			f.bad(again.Where, again.ZH, again.EN)
		}
		return err
	})
}

func (f *fsck) segment(ctx context.Context, g ward.Segment) (*FsckProblem, error) {
	where := "segment/" + string(g.ID)
	if g.State == ward.Spooled && f.media.Spool == nil {
		return nil, nil // in another process's spool
	}
	r, err := f.media.Segment(ctx, g)
	if errors.Is(err, fs.ErrNotExist) {
		return &FsckProblem{where, "录像文件缺失：" + g.Key, "The recording's file is missing: " + g.Key}, nil
	}
	if err != nil {
		return nil, err
	}
	sum, size, err := hashOf(r)
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", g.ID, err)
	}
	if size != g.Bytes || sum != g.SHA256 {
		return &FsckProblem{where, "录像文件与封存的哈希不符：" + g.Key, fmt.Sprintf("The recording differs from its hash: %s has %d bytes, %d are expected", g.Key, size, g.Bytes)}, nil
	}
	return nil, nil
}

// pictures checks the snapshots of alerts and visits against the hash that
// was sealed, and of cases against that of their custody event.
func (f *fsck) pictures(ctx context.Context) error {
	for _, q := range []string{
		`SELECT 'alert/' || id, snapshot_key, snapshot_sha FROM alert WHERE snapshot_key <> '' ORDER BY id`,
		`SELECT 'evidence/' || id, ref, sha256 FROM evidence WHERE kind = 'snapshot' ORDER BY id`,
		`SELECT 'visit/' || id, snapshot_key, snapshot_sha FROM visit WHERE snapshot_key <> '' ORDER BY id`,
	} {
		all, err := listed(ctx, f.s, "list pictures", scanPicture, q)
		if err != nil {
			return err
		}
		for i, p := range all {
			f.progress("pictures", int64(i+1))
			sum, _, err := objects.Sum(ctx, f.media.Objects, p.key)
			switch {
			case p.sum == [32]byte{} && p.hashed:
				// It was missing when it was added, and the case says so.
			case errors.Is(err, fs.ErrNotExist):
				f.bad(p.where, "图片文件缺失："+p.key, "The picture is missing: "+p.key)
			case err != nil:
				return err
			case p.hashed && sum != p.sum:
				f.bad(p.where, "图片文件与封存的哈希不符："+p.key, "The picture differs from its hash: "+p.key)
			}
		}
	}
	return nil
}

type picture struct {
	where, key string
	sum        [32]byte
	hashed     bool
}

func scanPicture(r row) (picture, error) {
	var p picture
	var sum []byte
	err := r.Scan(&p.where, &p.key, &sum)
	p.hashed = copy(p.sum[:], sum) == len(p.sum)
	return p, err
}

// objects names the recordings in the store that no row knows.
func (f *fsck) objects(ctx context.Context) error {
	for info, err := range f.media.Objects.List(ctx, "v1/") {
		if err != nil {
			return err
		}
		f.Objects++
		f.progress("objects", f.Objects)
		if !strings.HasSuffix(info.Key, ".mp4") {
			continue
		}
		var n int64
		if err := f.s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM segment WHERE object_key = $1`, info.Key).Scan(&n); err != nil {
			return fmt.Errorf("look for %s: %w", info.Key, err)
		}
		if n == 0 {
			f.bad("object/"+info.Key, "存储中的录像没有对应的记录。", "The recording is in the store and no row knows it.")
		}
	}
	return nil
}

// eachSegment calls do for every segment, in pages.
func eachSegment(ctx context.Context, s *Store, do func(ward.Segment) error) error {
	return pages(func(after string) (string, error) {
		some, err := s.AllSegments(ctx, ward.SegmentID(after), fsckPage)
		for _, g := range some {
			if err := do(g); err != nil {
				return "", err
			}
			after = string(g.ID)
		}
		if len(some) < fsckPage {
			after = ""
		}
		return after, err
	})
}

// fsckPage is how many rows are in memory at once.
const fsckPage = 500

// pages calls next with the last id of the page before until it returns none.
func pages(next func(after string) (string, error)) error {
	for after := ""; ; {
		var err error
		if after, err = next(after); err != nil || after == "" {
			return err
		}
	}
}

func hexOf(b [32]byte) string { return hex.EncodeToString(b[:]) }
