package ingest

import (
	"encoding/binary"
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// move changes the times of a fragment, a whole moof box, in place: decode
// times to the shared time line, durations stretched. Tracks that browsers do
// not play become free space. none is true when no track is left.
func (p *Piece) move(moof []byte) (none bool, err error) {
	kept := 0
	err = eachBox(moof[8:], func(kind string, traf []byte) error {
		if kind != "traf" {
			return nil
		}
		t, ok, err := p.trackOf(traf)
		if err != nil {
			return err
		}
		if !ok {
			free(moof, traf)
			return nil
		}
		kept++
		return p.moveTrack(traf, t)
	})
	if err == nil && kept == 0 {
		copy(moof[4:], "free")
	}
	return kept == 0, err
}

// free renames the box whose body is part of b.
func free(b, body []byte) {
	at := cap(b) - cap(body) // both end with the same array
	copy(b[at-4:], "free")
}

// trackOf finds the track of a traf; ok is false for one that is left out.
func (p *Piece) trackOf(traf []byte) (t indexedTrack, ok bool, err error) {
	id := 0
	err = eachBox(traf, func(kind string, body []byte) error {
		if kind == "tfhd" && len(body) >= 8 {
			id = int(be32(body[4:]))
		}
		return nil
	})
	for _, t := range p.tracks {
		if t.id == id && (t.video || t.playable()) {
			return t, true, err
		}
	}
	return t, false, err
}

func (p *Piece) moveTrack(traf []byte, t indexedTrack) error {
	var dts int64
	return eachBox(traf, func(kind string, body []byte) error {
		switch kind {
		case "tfdt":
			if len(body) < 12 || body[0] != 1 {
				return errTorn
			}
			if dts = int64(binary.BigEndian.Uint64(body[4:])); dts < 0 || dts > 1<<52 { //nolint:gosec // just checked
				return errTorn
			}
			binary.BigEndian.PutUint64(body[4:], uint64(p.clock.ticks(t.timescale, dts))) //nolint:gosec // after 1970
		case "trun":
			if p.clock.ratio != 1 {
				return p.stretch(body, dts)
			}
		}
		return nil
	})
}

// stretch changes the durations and composition times of a run that begins at dts.
func (p *Piece) stretch(b []byte, dts int64) error {
	if len(b) < 12 {
		return errTorn
	}
	flags := be32(b) & 0xffffff
	if flags&trunOffset == 0 || flags&trunFirstFlags != 0 || flags&trunDuration == 0 || flags&trunSize == 0 {
		return errTorn
	}
	n, width, composition := int64(be32(b[4:])), int64(8), int64(8)
	if flags&trunFlags != 0 {
		width, composition = width+4, composition+4
	}
	if flags&trunComposition != 0 {
		width += 4
	}
	b = b[12:]
	if int64(len(b)) != n*width {
		return errTorn
	}
	for ; len(b) > 0; b = b[width:] {
		d, begin := int64(be32(b)), p.clock.scaled(dts)
		binary.BigEndian.PutUint32(b, clampU32(p.clock.scaled(dts+d)-begin))
		if flags&trunComposition != 0 {
			cts := int64(int32(be32(b[composition:])))                                                  //nolint:gosec // signed by the standard
			binary.BigEndian.PutUint32(b[composition:], uint32(clamp32(p.clock.scaled(dts+cts)-begin))) //nolint:gosec // likewise
		}
		dts += d
	}
	return nil
}

// moveDate changes the media time of a prft box in place.
func (p *Piece) moveDate(b []byte) {
	for _, t := range p.tracks {
		media := binary.BigEndian.Uint64(b[24:])
		if uint32(t.id) == be32(b[12:]) && media < 1<<52 { //nolint:gosec // small
			binary.BigEndian.PutUint64(b[24:], uint64(p.clock.ticks(t.timescale, int64(media)))) //nolint:gosec // just bounded
		}
	}
}
