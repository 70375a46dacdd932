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
	"sync"
	"sync/atomic"
	"syscall"

	"wardwatch/storage/disk"
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
	fs      disk.FS
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
	Reserve int64   // bytes to leave free on the disk; 0 means DefaultReserve, negative none
	Limit   int64   // most bytes that the spool may hold; 0 means no limit
	FS      disk.FS // where the files are; nil: in the folder. The Spool closes it
}

// Open opens the spool in dir, creating it if absent.
func Open(dir string, o Options) (*Spool, error) {
	if o.FS == nil {
		var err error
		if o.FS, err = disk.Open(dir); err != nil {
			return nil, fmt.Errorf("open spool: %w", err)
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
func (s *Spool) Open(e Entry) (disk.Handle, error) {
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
