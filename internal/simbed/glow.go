package simbed

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"wardwatch/ward"
)

// Glow is a screen that shines on the face before it.
type Glow struct {
	Face   ward.Box // of the straight look
	Screen float64  // light of a white screen on the face over the rest; 0: nothing is reflected
}

// screens are what a page shows at the commands of the colour sequence, linear.
var screens = map[string][3]float64{
	"colour_white": {1, 1, 1}, "colour_red": {1, .156, .156}, "colour_green": {0, .716, .045}, "colour_blue": {.013, .045, 1},
}

const (
	glowFrames = 2 * fps                // of the straight look that are shown while the screen changes
	glowLag    = 150 * time.Millisecond // of screen and camera together
)

// Lit is the clip's frames from the given one on with a face that reflects
// what the screen shows at a command.
func (g Glow) Lit(ctx context.Context, c *Clip, from int, command string) (*Clip, error) {
	dir, err := os.MkdirTemp("", "glow-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	in, out := filepath.Join(dir, "straight.h264"), filepath.Join(dir, "lit.h264")
	frames := c.Frames[from:min(from+glowFrames, len(c.Frames))]
	if err := os.WriteFile(in, bytes.Join(frames, nil), 0o600); err != nil {
		return nil, err
	}
	w, h, err := sizeOf(frames[0])
	if err != nil {
		return nil, err
	}
	even := func(v float32, of int) int { return int(float64(v)*float64(of)) / 2 * 2 }
	var mix [3]float64
	for i, s := range screens[command] {
		mix[i] = math.Pow(1+g.Screen*s, 1/2.2)
	}
	x, y := even(g.Face.X, w), even(g.Face.Y, h)
	filter := fmt.Sprintf("split[a][b];[b]crop=%d:%d:%d:%d,format=gbrp,colorchannelmixer=rr=%.5f:gg=%.5f:bb=%.5f,format=yuv420p[c];[a][c]overlay=%d:%d",
		even(g.Face.W, w), even(g.Face.H, h), x, y, mix[0], mix[1], mix[2], x, y)
	if err := transcode(ctx, in, out, filter, 21); err != nil {
		return nil, err
	}
	stream, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	lit := &Clip{Flip: c.Flip}
	lit.Frames, err = split(stream)
	return lit, err
}

// lamp holds the lit clips of one bedside, made while it is asked other things.
type lamp struct {
	mu  sync.Mutex
	lit map[string]*Clip
}

// make lights the clips one after the other.
func (l *lamp) make(ctx context.Context, g Glow, s stretch) error {
	for command := range screens {
		c, err := g.Lit(ctx, s.clip, s.from, command)
		if err != nil {
			return fmt.Errorf("light the face for %s: %w", command, err)
		}
		l.mu.Lock()
		l.lit[command] = c
		l.mu.Unlock()
	}
	return nil
}

// stretch is what the camera shows after a command of the colour sequence;
// it has no clip for another, and when it is not made yet.
func (l *lamp) stretch(command string) stretch {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.lit[command]
	if c == nil || !strings.HasPrefix(command, "colour_") {
		return stretch{}
	}
	return stretch{c, 0, len(c.Frames) - 1}
}
