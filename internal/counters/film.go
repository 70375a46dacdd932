package counters

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // of the faces
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// studioVersion changes when films are drawn differently, so that stored ones are made anew.
const studioVersion = 3

// Studio draws films.
type Studio struct {
	Body  *Body
	Faces string // the folder of the files
	Dir   string // where films are kept
}

// Film draws the film of counter i of w with ffmpeg's H.264, or finds the one
// that was drawn for the same scene, and returns its file.
func (s *Studio) Film(ctx context.Context, w *World, i int) (string, error) {
	c := w.Counters[i]
	name, err := sceneName(w, c)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	part := file + ".part-" + strconv.Itoa(os.Getpid())
	if err := s.shoot(ctx, w, c, part); err != nil {
		return "", errors.Join(fmt.Errorf("film %s: %w", c.ID, err), os.RemoveAll(part))
	}
	return file, os.Rename(part, file)
}

// sceneName names a film by all that decides its content but the faces' bytes.
func sceneName(w *World, c Counter) (string, error) {
	used := map[int]Person{}
	for _, v := range c.Visits {
		used[v.Who] = w.People[v.Who]
	}
	b, err := json.Marshal(struct {
		Version int
		Counter Counter
		People  map[int]Person
		Length  float64
	}{studioVersion, c, used, w.Length})
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%s-%s.ts", c.ID, hex.EncodeToString(sum[:6])), err
}

// shoot draws every picture and hands it to ffmpeg.
func (s *Studio) shoot(ctx context.Context, w *World, c Counter, file string) error {
	p := c.Picture
	args := []string{
		"-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", fmt.Sprintf("%dx%d", p.Width, p.Height), "-r", strconv.Itoa(p.FPS), "-i", "pipe:0",
		"-threads", "1", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-bf", "0",
		"-g", strconv.Itoa(p.FPS), "-keyint_min", strconv.Itoa(p.FPS), "-sc_threshold", "0", "-fflags", "+bitexact", "-flags", "+bitexact",
	}
	if p.Kbit > 0 {
		rate := strconv.Itoa(p.Kbit) + "k"
		args = append(args, "-b:v", rate, "-maxrate", rate, "-bufsize", rate)
	} else {
		args = append(args, "-crf", "26")
	}
	cmd := exec.CommandContext(ctx, "ffmpeg", append(args, "-f", "mpegts", file)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start ffmpeg (deploy/setup.sh run installs it): %w", err)
	}
	set := &set{studio: s, world: w, counter: c, empty: background(p, string(c.ID)), actors: map[int]*actor{}}
	sensor := newSensor(string(c.ID), p)
	frame := image.NewRGBA(set.empty.Rect)
	for n := range int(w.Length * float64(p.FPS)) {
		if err = set.paint(frame, float64(n)/float64(p.FPS)); err != nil {
			break
		}
		sensor.expose(frame)
		if _, err = in.Write(frame.Pix); err != nil {
			break
		}
	}
	err = errors.Join(err, in.Close())
	if e := cmd.Wait(); e != nil {
		return errors.Join(err, fmt.Errorf("ffmpeg: %w: %s", e, strings.TrimSpace(said.String())))
	}
	return err
}

// set is one counter while it is filmed.
type set struct {
	studio  *Studio
	world   *World
	counter Counter
	empty   *image.RGBA
	actors  map[int]*actor // by visit; those who have left are forgotten
}

// actor is the visitor in a few poses.
type actor struct{ poses []*image.RGBA }

// background is an office behind a counter.
func background(p Picture, name string) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	shade := int(h.Sum32()%40) - 20
	fill := func(x0, y0, x1, y1 float64, r, g, b int) {
		c := color.RGBA{level(float64(r + shade)), level(float64(g + shade)), level(float64(b + shade)), 255}
		draw.Draw(m, image.Rect(int(x0*float64(p.Width)), int(y0*float64(p.Height)), int(x1*float64(p.Width)), int(y1*float64(p.Height))), image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(0, 0, 1, 1, 185, 179, 164)
	fill(0, 0, 1, .1, 93, 107, 120)
	fill(.04, .16, .2, .46, 143, 138, 125)
	fill(.8, .16, .96, .46, 143, 138, 125)
	grain := uint32(1)
	for i := 0; i < len(m.Pix); i += 4 { // a wall is not of one colour
		grain = grain*1664525 + 1013904223
		d := float64(grain>>24)/32 - 4
		for k := range 3 {
			m.Pix[i+k] = level(float64(m.Pix[i+k]) + d)
		}
	}
	return m
}

// counterTop is where the counter hides what is behind it, of the height.
const counterTop = .85

// paint draws the picture of the moment t.
func (s *set) paint(frame *image.RGBA, t float64) error {
	copy(frame.Pix, s.empty.Pix)
	dark := false
	var present []int
	for i, v := range s.counter.Visits {
		if v.From <= t && t <= v.To {
			present = append(present, i)
		} else {
			delete(s.actors, i)
		}
		dark = dark || v.Condition == Dark && v.From-1 <= t && t <= v.To+1
	}
	slices.SortStableFunc(present, func(a, b int) int { // the smaller are behind
		if s.counter.Visits[a].Size < s.counter.Visits[b].Size {
			return -1
		}
		return 1
	})
	w, h := float64(frame.Rect.Dx()), float64(frame.Rect.Dy())
	top := int(h * counterTop)
	for _, i := range present {
		a, err := s.actor(i)
		if err != nil {
			return err
		}
		v := s.counter.Visits[i]
		pose := a.poses[int(t*1.7+v.From)%len(a.poses)]
		away := max(0, v.From+1-t) + max(0, t-v.To+1) // 1 s to walk in, 1 s to walk out, to the right
		x := int(w*(v.X+away*(1.25-v.X)+.006*math.Sin(t*1.1+v.From))) - pose.Rect.Dx()/2
		y := top - pose.Rect.Dy() + int(h*.008*math.Sin(t*.7+v.To))
		at := image.Rect(x, y, x+pose.Rect.Dx(), y+pose.Rect.Dy())
		draw.Draw(frame, at.Intersect(image.Rect(0, 0, frame.Rect.Dx(), top)), pose, image.Pt(max(0, -x), max(0, -y)), draw.Over)
	}
	draw.Draw(frame, image.Rect(0, top, int(w), int(h)), image.NewUniform(color.RGBA{110, 79, 51, 255}), image.Point{}, draw.Src)
	if dark {
		for i := 0; i < len(frame.Pix); i += 4 {
			frame.Pix[i], frame.Pix[i+1], frame.Pix[i+2] = frame.Pix[i]/8, frame.Pix[i+1]/8, frame.Pix[i+2]/8
		}
	}
	return nil
}

// actor makes the poses of a visitor when he comes.
func (s *set) actor(i int) (*actor, error) {
	if a := s.actors[i]; a != nil {
		return a, nil
	}
	v := s.counter.Visits[i]
	person := s.world.People[v.Who]
	face := person.Shown[v.Shown]
	f, err := os.Open(filepath.Join(s.studio.Faces, face.File))
	if err != nil {
		return nil, err
	}
	m, _, err := image.Decode(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("face %s: %w", face.File, err)
	}
	look := worn{picture: nrgba(m), box: rectOf(face.Box, m.Bounds()), how: v.Condition, tint: clothes(person.Name, v.From)}
	if v.Condition == Compressed {
		if look.picture, err = compressed(look.picture); err != nil {
			return nil, err
		}
	}
	a := &actor{}
	for k, tilt := range []float64{0, .035, -.03} {
		look.tilt, look.bright = tilt, 1-.04*float64(k)
		size := v.Size * (1 + .015*float64(k-1))
		a.poses = append(a.poses, s.studio.Body.draw(look, int(size*.7*float64(s.counter.Picture.Height))))
	}
	s.actors[i] = a
	return a, nil
}

// clothes are of another colour for each person and visit.
func clothes(name string, from float64) [3]float64 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %g", name, from)
	v := h.Sum32()
	return [3]float64{.6 + float64(v&63)/80, .6 + float64(v>>8&63)/80, .6 + float64(v>>16&63)/80}
}
