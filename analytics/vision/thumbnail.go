package vision

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// Thumbnail decodes one key frame (Annex B with parameter sets for H.264 and
// H.265, the raw picture for VP8 and MJPEG) and returns it as a JPEG whose
// longest side is at most side pixels.
func (p *Pool) Thumbnail(ctx context.Context, codec ward.Codec, key []byte, side int) ([]byte, error) {
	if codec == ward.MJPEG {
		seen, err := p.still(ctx, key, WantSnapshot, side)
		return seen.JPEG, err
	}
	s := p.NewSession(codec)
	defer s.Close()
	seen, ok, err := s.see(ctx, key, true, WantSnapshot, side)
	if err != nil {
		return nil, err
	}
	if !ok || len(seen.JPEG) == 0 {
		return nil, fmt.Errorf("%w: no picture came out of a key frame", ErrPicture)
	}
	return seen.JPEG, nil
}
