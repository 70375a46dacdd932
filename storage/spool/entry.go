package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// Entry is one file of the spool.
type Entry struct {
	Source ward.Source
	Start  time.Time // of the recording, to the microsecond
	Seq    int64
	Part   bool // being written, or torn by a crash
	Size   int64
	// Modified is when the file was last written; zero for one that was not
	// listed from the disk.
	Modified time.Time
}

func (e Entry) name() string {
	n := fmt.Sprintf("%s-%06d.mp4", e.Start.UTC().Format(nameTime), e.Seq)
	if e.Part {
		n += partSuffix
	}
	return path.Join(string(e.Source.Kind), e.Source.ID, n)
}

// markName is the empty file beside a repaired one.
func (e Entry) markName() string {
	e.Part = false
	return e.name() + ".repaired"
}

// Of returns the entry of a finished segment.
func Of(g ward.Segment) Entry {
	return Entry{Source: g.Source, Start: g.Start, Seq: g.Seq, Size: g.Bytes}
}

// Entries lists every file, by source and start. Files with other names are left out.
func (s *Spool) Entries() ([]Entry, error) {
	var all []Entry
	for _, kind := range []ward.SourceKind{ward.FromCamera, ward.FromVisit} {
		ids, err := s.list(string(kind))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			some, err := s.EntriesOf(ward.Source{Kind: kind, ID: id.Name()})
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	return all, nil
}

// EntriesOf lists the files of one source, by start.
func (s *Spool) EntriesOf(src ward.Source) ([]Entry, error) {
	if !ward.ValidID(src.ID) {
		return nil, nil
	}
	files, err := s.list(src.String())
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, f := range files {
		e, ok := parse(src, f.Name())
		if !ok {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // renamed or removed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list spool: %w", err)
		}
		e.Size, e.Modified = info.Size(), info.ModTime()
		all = append(all, e)
	}
	return all, nil
}

func (s *Spool) list(dir string) ([]fs.DirEntry, error) {
	entries, err := s.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	return entries, nil
}

func parse(src ward.Source, name string) (Entry, bool) {
	e := Entry{Source: src}
	name, e.Part = strings.CutSuffix(name, partSuffix)
	name, ok := strings.CutSuffix(name, ".mp4")
	stamp, seq, ok2 := strings.Cut(name, "-")
	if !ok || !ok2 {
		return e, false
	}
	var err, err2 error
	e.Start, err = time.Parse(nameTime, stamp)
	e.Seq, err2 = strconv.ParseInt(seq, 10, 64)
	return e, err == nil && err2 == nil && e.Seq > 0
}
