package simbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/internal/barcode"
)

func (b *bedside) holds(command string) (text string, bars bool) {
	if b.o.Hold == nil || !strings.HasPrefix(command, "show_") {
		return "", false
	}
	return b.o.Hold(command)
}

// paint hands over a clip of one picture: the camera's, with a card before it.
func (b *bedside) paint(ctx context.Context, behind stretch, text string, bars bool, to chan<- *Clip) {
	c, err := card(ctx, behind.clip.Frames[behind.from], text, bars)
	if err != nil {
		b.o.Log.ErrorContext(ctx, "paint a code", "error", err)
		return
	}
	select {
	case to <- c:
	case <-ctx.Done():
	}
}

// card encodes frame, a key frame of H.264, with a code in its middle, with
// the parameter sets of the clip: a camera does not change them.
func card(ctx context.Context, frame []byte, text string, bars bool) (*Clip, error) {
	code, err := lines(text, bars)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	dir, err := os.MkdirTemp("", "card-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	from, paper, film := filepath.Join(dir, "frame.h264"), filepath.Join(dir, "card.png"), filepath.Join(dir, "held.h264")
	if err := os.WriteFile(from, frame, 0o600); err != nil {
		return nil, err
	}
	w, h, err := sizeOf(frame)
	if err != nil {
		return nil, err
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, picture(code, max(1, min(w/len(code[0]), h/len(code))))); err != nil {
		return nil, err
	}
	if err := os.WriteFile(paper, drawn.Bytes(), 0o600); err != nil {
		return nil, err
	}
	filter := "null[a];movie=" + paper + "[c];[a][c]overlay=(W-w)/2:(H-h)/2"
	if err := transcode(ctx, from, film, filter, 21); err != nil {
		return nil, err
	}
	stream, err := os.ReadFile(film)
	if err != nil {
		return nil, err
	}
	frames, err := split(stream)
	return &Clip{Frames: frames}, err
}

// lines are the rows of a code's modules.
func lines(text string, bars bool) ([][]bool, error) {
	if !bars {
		return barcode.QR(text)
	}
	row, err := barcode.Code128(text)
	if err != nil {
		return nil, err
	}
	margin := make([]bool, 8) // of the card
	row = slices.Concat(margin, row, margin)
	code := make([][]bool, len(row)/3)
	for y := range code {
		code[y] = row
	}
	return code, nil
}

// picture draws a code; a module is so many pixels wide.
func picture(code [][]bool, module int) *image.Gray {
	p := image.NewGray(image.Rect(0, 0, module*len(code[0]), module*len(code)))
	for y := range p.Rect.Max.Y {
		for x := range p.Rect.Max.X {
			if !code[y/module][x/module] {
				p.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return p
}

// sizeOf is the size of the picture in an access unit that begins with its parameter sets.
func sizeOf(au []byte) (width, height int, err error) {
	var units h264.AnnexB
	if err := units.Unmarshal(au); err != nil {
		return 0, 0, err
	}
	for _, u := range units {
		var sps h264.SPS
		if len(u) > 0 && h264.NALUType(u[0]&0x1f) == h264.NALUTypeSPS {
			err := sps.Unmarshal(u)
			return sps.Width(), sps.Height(), err
		}
	}
	return 0, 0, errors.New("a frame without parameter sets")
}
