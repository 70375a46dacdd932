package ingest

import (
	"encoding/binary"
	"slices"
)

// mediacommon knows no FLAC. A FLAC track's sample entry is written as one of
// linear samples and then exchanged.

// boxHeads is how many bytes lie before the boxes in those boxes that lead
// to the sample entries.
var boxHeads = map[string]int{"moov": 0, "trak": 0, "mdia": 0, "minf": 0, "stbl": 0, "stsd": 8}

// exchange returns b, a row of boxes, with each sample entry of the given
// kind replaced by what with makes of it. The sizes of the boxes around it
// are corrected. What cannot be read is left as it is.
func exchange(b []byte, kind string, with func(entry []byte) []byte) []byte {
	var out []byte
	for len(b) >= 8 {
		n := binary.BigEndian.Uint32(b)
		if n < 8 || uint64(n) > uint64(len(b)) {
			break
		}
		box, name := b[:n], string(b[4:8])
		b = b[n:]
		skip, inner := boxHeads[name]
		switch {
		case name == kind:
			out = append(out, with(box)...)
		case inner && len(box) >= 8+skip:
			at := len(out)
			out = append(out, box[:8+skip]...)
			out = append(out, exchange(box[8+skip:], kind, with)...)
			binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at)) //nolint:gosec // at most maxMoov and an entry
		default:
			out = append(out, box...)
		}
	}
	return append(out, b...)
}

const (
	pcmEntryKind = "ipcm"
	soundEntry   = 8 + 28 // bytes of an AudioSampleEntry (ISO/IEC 14496-12 §12.2.3) without its boxes
)

// flacEntry turns a sample entry of linear samples into one of FLAC.
func flacEntry(pcm []byte) []byte {
	if len(pcm) < soundEntry {
		return pcm
	}
	rate := uint64(binary.BigEndian.Uint32(pcm[32:]) >> 16)
	channels := uint64(binary.BigEndian.Uint16(pcm[24:]))
	e := slices.Clone(pcm[:soundEntry])
	copy(e[4:], "fLaC")
	info := make([]byte, 0, 34) // STREAMINFO, RFC 9639 §8.2
	info = append(info, 0, 16, 0xff, 0xff, 0, 0, 0, 0, 0, 0)
	info = binary.BigEndian.AppendUint64(info, rate<<44|(channels-1)&7<<41|15<<36) // 16 bits; how many samples is not known
	info = append(info, make([]byte, 16)...)                                       // nor their MD5
	e = binary.BigEndian.AppendUint32(e, 8+4+4+34)
	e = append(e, "dfLa"...)
	e = append(e, 0, 0, 0, 0, 0x80, 0, 0, 34)
	e = append(e, info...)
	binary.BigEndian.PutUint32(e, uint32(len(e))) //nolint:gosec // 86
	return e
}
