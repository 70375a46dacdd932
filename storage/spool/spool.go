// Package spool keeps recordings on the local disk from their first byte
// until the object store has them. It owns the folder layout
//
//	{root}/{camera|visit}/{id}/{start}-{seq}.mp4       finished, hashed, durable
//	{root}/{camera|visit}/{id}/{start}-{seq}.mp4.part  being written
//	{root}/{camera|visit}/{id}/{start}-{seq}.mp4.repaired  empty: the .mp4 was cut, and has no row yet
//
// the order of fsync and rename, and the space that must stay free. It must
// not know what is inside the files.
package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"wardwatch/ward"
)

// DefaultReserve is what recording leaves free on the disk, in bytes: room
// for the catalogue and the ledger, which must never be starved by video.
const DefaultReserve = 256_000_000

const (
	nameTime   = "20060102T150405.000000Z" // UTC, microseconds
	partSuffix = ".part"
)

// Spool is the folder. It is safe for concurrent use; a File is not.
type Spool struct {
	fs      FS
	reserve int64
	limit   int64
	used    atomic.Int64
	removed atomic.Int64
	opened  int64         // bytes held at Open
	buffers chan []byte   // of Append
	syncing chan struct{} // holds one for every fsync that runs
	hurried atomic.Int64  // see Hurried; nanoseconds since 1970
	named   sync.Map      // the folders whose own names are durable
}

const (
	// sharedBuffers is how many files are composed or written at a time.
	sharedBuffers = 4
	// maxBuffer is the largest buffer that is kept, in bytes.
	maxBuffer = 1 << 20
	// maxSyncs is how many fsyncs run at a time: each holds a thread, and a
	// file system writes one journal for several.
	maxSyncs = 8
)

// Options bound the spool.
type Options struct {
	Reserve int64 // bytes to leave free on the disk; 0 means DefaultReserve, negative none
	Limit   int64 // most bytes that the spool may hold; 0 means no limit
	FS      FS    // where the files are; nil: in the folder. The Spool closes it
}

// Open opens the spool in dir, creating it if absent.
func Open(dir string, o Options) (*Spool, error) {
	if o.FS == nil {
		var err error
		if o.FS, err = Disk(dir); err != nil {
			return nil, err
		}
	}
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	s := &Spool{fs: o.FS, reserve: max(o.Reserve, 0), limit: o.Limit, buffers: make(chan []byte, sharedBuffers), syncing: make(chan struct{}, maxSyncs)}
	for range sharedBuffers {
		s.buffers <- nil
	}
	entries, err := s.Entries()
	if err != nil {
		return nil, errors.Join(err, s.fs.Close())
	}
	for _, e := range entries {
		s.used.Add(e.Size)
	}
	s.opened = s.used.Load()
	return s, nil
}

// Close releases the folder.
func (s *Spool) Close() error { return s.fs.Close() }

// Used returns the bytes that the spool holds.
func (s *Spool) Used() int64 { return s.used.Load() }

// Space is how much room a spool has, in bytes.
type Space struct {
	Used    int64
	Limit   int64 // 0: none
	Free    int64 // on the disk
	Reserve int64 // what must stay free on the disk
	// Written and Removed count since Open what came in and what left.
	Written, Removed int64
}

// Room is how much may still be written; negative when it is already too much.
func (p Space) Room() int64 {
	if p.Limit > 0 {
		return min(p.Limit-p.Used, p.Free-p.Reserve)
	}
	return p.Free - p.Reserve
}

// Capacity is how much the spool could hold if it held nothing else than now.
func (p Space) Capacity() int64 { return p.Used + p.Room() }

// Space measures the room.
func (s *Spool) Space() (Space, error) {
	free, err := s.fs.Free()
	if err != nil {
		return Space{}, fmt.Errorf("measure free space: %w", err)
	}
	removed, used := s.removed.Load(), s.used.Load()
	return Space{Used: used, Limit: s.limit, Free: free, Reserve: s.reserve, Written: used + removed - s.opened, Removed: removed}, nil
}

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

// find returns the entry as it is on the disk: the number in a name is what
// the recorder expected, the catalogue's may differ after an abandoned file.
func (s *Spool) find(e Entry) Entry {
	if _, err := s.fs.Stat(e.name()); err == nil {
		return e
	}
	entries, err := s.EntriesOf(e.Source)
	if err != nil {
		return e
	}
	for _, found := range entries {
		if found.Part == e.Part && found.Start.Equal(e.Start) {
			return found
		}
	}
	return e
}

// Open opens a file for reading; it is found by its source and start.
func (s *Spool) Open(e Entry) (Handle, error) {
	f, err := s.fs.Open(s.find(e).name(), os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open spooled file: %w", err)
	}
	return f, nil
}

// Has says whether a file is there; it is found by its source and start.
func (s *Spool) Has(e Entry) bool {
	_, err := s.fs.Stat(s.find(e).name())
	return err == nil
}

// Remove deletes a file, found by its source and start. An absent one is no
// error.
func (s *Spool) Remove(e Entry) error {
	e = s.find(e)
	info, err := s.fs.Stat(e.name())
	if err == nil {
		err = s.fs.Remove(e.name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove spooled file: %w", err)
	}
	s.used.Add(-info.Size())
	s.removed.Add(info.Size())
	return nil
}

// room says whether n more bytes may be written.
func (s *Spool) room(n int64) error {
	if s.limit > 0 && s.used.Load()+n > s.limit {
		return full(nil)
	}
	if s.reserve == 0 {
		return nil
	}
	free, err := s.fs.Free()
	if err != nil {
		return fmt.Errorf("measure free space: %w", err)
	}
	if free-n < s.reserve {
		return full(nil)
	}
	return nil
}

// full is the error of a spool that has no room.
func full(cause error) error {
	return &ward.Error{
		Kind: ward.Unavailable, Code: "spool.full", Err: cause,
		ZH: "本机录像暂存空间已满：请释放磁盘空间，或检查存储上传是否中断。",
		EN: "The spool is full: free disk space, or check why uploads to the object store have stopped.",
	}
}

// explain turns an error of the file system into one of ours.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return full(err)
	}
	return err
}
