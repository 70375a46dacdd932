package ingest

import (
	"encoding/binary"
	"errors"
	"io/fs"

	"wardwatch/storage/disk"
	"wardwatch/storage/spool"
)

// The group of pictures that a new viewer begins with is kept in memory only
// until the recorder has written it; then it is read back from the recording,
// which is in the kernel's page cache. Nobody's memory holds a picture twice.

// keptUnit is a unit of the cached group of pictures. Its AU is nil once it
// is on the disk.
type keptUnit struct {
	Unit

	at    int64 // offset in the recording, in bytes
	bytes uint32
}

// onDisk is a recording that holds units of a stream.
type onDisk struct {
	spool *spool.Spool
	entry spool.Entry
	nalus bool // NAL units with their lengths before them

	file disk.Handle // of a Reader's copy, while it reads its backlog
}

// written tells where a picture is.
type written struct {
	number uint64
	at     int64
	bytes  uint32
}

// settle says that pictures are in the recording d: they need not be kept in
// memory.
func (s *Stream) settle(d onDisk, pictures []written) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.gop) == 0 || s.disk != nil && s.disk.entry != d.entry {
		return
	}
	for _, p := range pictures {
		i := p.number - s.gop[0].number // a number before the group wraps around
		if i >= uint64(len(s.gop)) {
			continue
		}
		k := &s.gop[i]
		s.bytes -= k.size()
		k.AU, k.at, k.bytes = nil, p.at, p.bytes
		s.disk = &d
	}
}

// kept returns the next unit of the backlog.
func (r *Reader) kept() (Unit, bool) {
	for len(r.backlog) > 0 {
		k := r.backlog[0]
		r.backlog[0] = keptUnit{}
		r.backlog = r.backlog[1:]
		if k.AU == nil && k.bytes > 0 {
			var err error
			if k.AU, err = r.fetch(k); err != nil { // the file is gone, or damaged
				r.backlog, r.awaits = nil, true
			}
		}
		if len(r.backlog) == 0 {
			r.endBacklog()
		}
		if !r.awaits {
			return k.Unit, true
		}
	}
	return Unit{}, false
}

// fetch reads a unit's picture back.
func (r *Reader) fetch(k keptUnit) ([][]byte, error) {
	if r.disk == nil {
		return nil, fs.ErrNotExist
	}
	if r.disk.file == nil {
		own := *r.disk
		f, err := own.spool.Open(own.entry)
		if errors.Is(err, fs.ErrNotExist) {
			own.entry.Part = false // finished meanwhile
			f, err = own.spool.Open(own.entry)
		}
		if err != nil {
			return nil, err
		}
		own.file = f
		r.disk = &own
	}
	b := make([]byte, k.bytes)
	if _, err := r.disk.file.ReadAt(b, k.at); err != nil {
		return nil, err
	}
	if !r.disk.nalus {
		return [][]byte{b}, nil
	}
	return splitNALUs(b)
}

// splitNALUs is the reverse of how a sample of NAL units is written. The
// result shares b.
func splitNALUs(b []byte) (all [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, errTorn
		}
		n := binary.BigEndian.Uint32(b)
		if uint64(n) > uint64(len(b)-4) {
			return nil, errTorn
		}
		all = append(all, b[4:4+n:4+n])
		b = b[4+n:]
	}
	return all, nil
}

// endBacklog releases what reading the backlog needed.
func (r *Reader) endBacklog() {
	if r.disk != nil && r.disk.file != nil {
		_ = r.disk.file.Close() // only read
	}
	r.backlog, r.disk = nil, nil
}
