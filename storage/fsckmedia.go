package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// segments hashes the bytes of every segment that should have some.
func (f *fsck) segments(ctx context.Context) error {
	if err := f.count(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN state IN ('spooled', 'archived') THEN bytes END), 0) FROM segment`); err != nil {
		return err
	}
	return f.eachSegment(ctx, func(g ward.Segment) error {
		if !g.State.Readable() {
			return nil
		}
		f.Segments++
		f.cursor.Bytes += g.Bytes
		first, err := f.segment(ctx, g)
		if err != nil || first == nil {
			return err
		}
		// It may have been uploaded, evicted, or removed by retention, meanwhile.
		if g, err = f.s.Segment(ctx, g.ID); err != nil {
			return err
		}
		if !g.State.Readable() {
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

// fate compares what a row says became of its recording with what was sealed
// about it: nobody makes one disappear by changing its state.
func (f *fsck) fate(ctx context.Context, g ward.Segment) error {
	where := "segment/" + string(g.ID)
	switch g.State {
	case ward.Spooled, ward.Archived:
		return nil
	case ward.Evicted:
		r, ok, err := latestSealed(ctx, f.s.read, KindEviction, string(g.ID))
		if err != nil {
			return err
		}
		var rec evictionRecord
		if !ok || r.Into(&rec) != nil {
			f.bad(where, "录像标为已舍弃，但没有封存记录。", "It is called evicted, and no eviction was sealed")
			return nil //nolint:nilerr // it is reported
		}
		var n int
		err = f.s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM gap WHERE id = $1 AND cause = $2 AND from_us = $3 AND to_us = $4`, rec.Gap, ward.CauseEvicted, us(g.Start), us(g.End)).Scan(&n)
		if err == nil && n == 0 {
			f.bad(where, "录像已舍弃，但没有对应的缺口。", "It was evicted, and its gap is missing")
		}
		return err
	case ward.Deleting, ward.Deleted:
		var plan string
		if err := f.s.read.QueryRowContext(ctx, `SELECT plan_id FROM segment WHERE id = $1`, g.ID).Scan(&plan); err != nil {
			return fmt.Errorf("read plan of segment %s: %w", g.ID, err)
		}
		if err := f.readPlan(ctx, plan); err != nil {
			return err
		}
		if !f.plan.planned[g.ID] {
			f.bad(where, "录像标为已删除，但没有封存的删除计划。", "It is called deleted, and no sealed plan says so")
		} else if g.State == ward.Deleted && !f.plan.gone[g.ID] {
			f.bad(where, "录像标为已删除，但没有封存的删除确认。", "It is called deleted, and its deletion was not confirmed")
		}
		return nil
	default:
		f.bad(where, "录像状态无效。", "Its state is none")
		return nil
	}
}

// sealedPlan is the last deletion plan that was looked up.
type sealedPlan struct {
	id            string
	planned, gone map[ward.SegmentID]bool
}

func (f *fsck) readPlan(ctx context.Context, id string) error {
	if f.plan.id == id && id != "" {
		return nil
	}
	f.plan = sealedPlan{id: id, planned: map[ward.SegmentID]bool{}, gone: map[ward.SegmentID]bool{}}
	plans, err := f.s.SealedOf(ctx, KindPlan, id)
	if err != nil {
		return err
	}
	for _, r := range plans {
		var p Plan
		if r.Into(&p) != nil {
			continue // then its segments are named
		}
		for _, g := range p.Segments {
			f.plan.planned[g.ID] = true
		}
	}
	done, err := f.s.SealedOf(ctx, KindDeletion, id)
	for _, r := range done {
		var d deletionRecord
		if r.Into(&d) != nil {
			continue
		}
		for _, g := range d.Segments {
			f.plan.gone[g] = true
		}
	}
	return err
}

// pictures checks the snapshots of alerts and visits against the hash that
// was sealed, and of cases against that of their custody event.
func (f *fsck) pictures(query string) func(context.Context) error {
	return func(ctx context.Context) error {
		where := func(p picture) string { return p.where }
		return each(ctx, f, "list pictures", query, scanPicture, where, func(p picture) error {
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
			return nil
		})
	}
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

// objects names what is in the store and should not be: what no row knows or
// what was given up, and what a row calls deleted.
func (f *fsck) objects(ctx context.Context) error {
	every := func(page []objects.Info) error {
		if err := f.removed(ctx, page); err != nil {
			return err
		}
		f.Objects += int64(len(page))
		f.cursor.Done += int64(len(page)) - 1
		return f.did(page[len(page)-1].Key)
	}
	return eachUnknown(ctx, f.s, f.media.Objects, f.cursor.After, every, func(o objects.Info) {
		// A snapshot is stored before its row names it.
		if strings.HasSuffix(o.Key, ".mp4") || time.Since(o.Modified) > orphanAge {
			f.bad("object/"+o.Key, "存储中的文件没有对应的记录。", "The object is in the store and no row knows it.")
		}
	})
}

// removed names the objects of page whose row says that they are gone.
func (f *fsck) removed(ctx context.Context, page []objects.Info) error {
	args, marks := make([]any, len(page)), make([]string, len(page))
	for i, o := range page {
		args[i], marks[i] = o.Key, fmt.Sprintf("$%d", i+1)
	}
	gone, err := listed(ctx, f.s, "look for deleted objects", func(r row) (string, error) {
		var key string
		return key, r.Scan(&key)
	}, `SELECT object_key FROM segment WHERE object_key IN (`+strings.Join(marks, ", ")+`) AND state = 'deleted'`, args...)
	for _, key := range gone {
		if _, err := f.media.Objects.Stat(ctx, key); errors.Is(err, fs.ErrNotExist) {
			continue // it was listed just before it went
		}
		f.bad("object/"+key, "记录称该录像已删除，但文件仍在存储中。", "Its row says that it is deleted, and it is in the store")
	}
	return err
}

// files names what is in the spool for long and has no row.
func (f *fsck) files(ctx context.Context) error {
	if f.media.Spool == nil {
		return nil
	}
	entries, err := f.media.Spool.Entries()
	if err != nil {
		return err
	}
	f.total = int64(len(entries))
	for _, e := range entries {
		if time.Since(e.Modified) > orphanAge {
			_, err := f.s.SegmentStarting(ctx, e.Source, e.Start)
			if ward.KindOf(err) == ward.NotFound {
				f.bad("spool/"+e.Path(), "暂存文件没有对应的记录。", "The spooled file has no row")
			} else if err != nil {
				return err
			}
		}
		if err := f.did(e.Path()); err != nil {
			return err
		}
	}
	return nil
}

// quarantine lists what was put aside and looks whether it is still there.
func (f *fsck) quarantine(ctx context.Context) error {
	all, err := f.s.Quarantine(ctx)
	if err != nil {
		return err
	}
	f.Quarantined, f.total = all, int64(len(all))
	for _, q := range all {
		key, isObject := strings.CutPrefix(q.MovedTo, "object/")
		if isObject {
			sum, _, err := objects.Sum(ctx, f.media.Objects, key)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				f.bad(q.MovedTo, "隔离的文件缺失。", "It was put aside and is missing")
			case err != nil:
				return err
			case hex.EncodeToString(sum[:]) != q.SHA256:
				f.bad(q.MovedTo, "隔离的文件被改动。", "It was put aside and has been changed")
			}
		}
		if err := f.did(q.MovedTo); err != nil {
			return err
		}
	}
	return nil
}

// holdRows compares the holds with what was sealed.
func (f *fsck) holdRows(ctx context.Context) error {
	id := func(h ward.Hold) string { return string(h.ID) }
	return each(ctx, f, "list holds", holdColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanHold, id, func(h ward.Hold) error {
		return f.agree(ctx, "hold", string(h.ID), KindHold, string(h.ID), h.Leaf, h)
	})
}
