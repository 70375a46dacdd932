package simbed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

const (
	fps       = 25
	poseEvery = 4 // frames between measured poses: 160 ms
)

// Pose is what the face in one frame does; the fields are those of ward.Face.
type Pose struct {
	Frame int     `json:"frame"`
	Yaw   float32 `json:"yaw"`
	Pitch float32 `json:"pitch"`
	Mouth float32 `json:"mouth"`
	Eyes  float32 `json:"eyes"`
}

// Clip is a film that can be played from any frame: every frame is a key
// frame of H.264 baseline.
type Clip struct {
	Frames [][]byte // Annex B, one access unit each, with parameter sets
	Poses  []Pose   // rising frames with exactly one face; between them the pose is not known
	Flip   bool     // the picture was mirrored
}

// See looks at one key frame; it is the vision worker's face search.
type See func(ctx context.Context, au []byte) (ward.Seen, bool, error)

// Open transcodes the film at path once (ffmpeg) and measures its poses
// once; both are kept in the folder cache. flip mirrors the picture: a real
// turn to the left becomes one to the right. see may be nil when the poses
// are cached already.
func Open(ctx context.Context, path, cache string, flip bool, see See) (*Clip, error) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	filter := fmt.Sprintf("fps=%d,scale=trunc(iw/2)*2:trunc(ih/2)*2", fps)
	if flip {
		name, filter = name+"-flipped", filter+",hflip"
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("make clip cache: %w", err)
	}
	base := filepath.Join(cache, name)
	c := &Clip{Flip: flip}
	stream, err := os.ReadFile(base + ".h264")
	if errors.Is(err, fs.ErrNotExist) {
		if err = transcode(ctx, path, base+".h264", filter, 21); err == nil {
			stream, err = os.ReadFile(base + ".h264")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("prepare clip %s: %w", name, err)
	}
	if c.Frames, err = split(stream); err != nil {
		return nil, fmt.Errorf("read clip %s: %w", name, err)
	}
	if err := c.loadPoses(ctx, base+".poses.json", see); err != nil {
		return nil, fmt.Errorf("measure poses of clip %s: %w", name, err)
	}
	return c, nil
}

// Film codes frames again through ffmpeg's filter; crf is x264's, 21 good to
// 40 poor. The result is kept in the folder cache. Its poses are not known.
func Film(ctx context.Context, cache string, frames [][]byte, filter string, crf int) (*Clip, error) {
	stream := bytes.Join(frames, nil)
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %s %d", sha256.Sum256(stream), filter, crf))
	base := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	made, err := os.ReadFile(base + ".h264")
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(cache, 0o755); err != nil {
			return nil, fmt.Errorf("make clip cache: %w", err)
		}
		from := base + ".from.h264"
		if err = os.WriteFile(from, stream, 0o644); err != nil {
			return nil, fmt.Errorf("make film: %w", err)
		}
		defer func() { _ = os.Remove(from) }()
		if err = transcode(ctx, from, base+".h264", filter, crf); err == nil {
			made, err = os.ReadFile(base + ".h264")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make film: %w", err)
	}
	all, err := split(made)
	return &Clip{Frames: all}, err
}

// Refilm is a clip and its mirror image (which may be nil) with those frames
// that a Genuine bedside shows coded again by Film; filter keeps their number.
func Refilm(ctx context.Context, cache string, pair [2]*Clip, filter string, crf int) (out [2]*Clip, err error) {
	s, err := plan(pair[0], pair[1])
	if err != nil {
		return out, err
	}
	for k, c := range pair {
		if c == nil {
			continue
		}
		again := *c
		again.Frames = slices.Clone(c.Frames)
		out[k] = &again
		for _, x := range []stretch{s.straight, s.left, s.right, s.nod, s.shut, s.open} {
			if x.clip != c {
				continue
			}
			made, err := Film(ctx, cache, c.Frames[x.from:x.to+1], filter, crf)
			if err != nil {
				return out, err
			}
			if n := x.to - x.from + 1; len(made.Frames) != n {
				return out, fmt.Errorf("%d pictures became %d", n, len(made.Frames))
			}
			copy(again.Frames[x.from:], made.Frames)
		}
	}
	return out, nil
}

func transcode(ctx context.Context, from, to, filter string, crf int) error {
	tmp, err := os.CreateTemp(filepath.Dir(to), ".clip-*.h264")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	if err := tmp.Close(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-y", "-i", from, "-an", "-vf", filter,
		"-c:v", "libx264", "-profile:v", "baseline", "-preset", "fast", "-crf", strconv.Itoa(crf), "-g", "1", "-threads", "1",
		"-pix_fmt", "yuv420p", "-x264-params", "aud=1:repeat-headers=1", "-f", "h264", tmp.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Rename(tmp.Name(), to)
}

// split cuts an Annex B stream at its access unit delimiters.
func split(stream []byte) ([][]byte, error) {
	mark := []byte{0, 0, 0, 1, byte(h264.NALUTypeAccessUnitDelimiter)}
	var out [][]byte
	for len(stream) > 0 {
		if !bytes.HasPrefix(stream, mark) {
			return nil, errors.New("no access unit delimiter where one belongs")
		}
		n := bytes.Index(stream[len(mark):], mark)
		if n < 0 {
			n = len(stream) - len(mark)
		}
		out = append(out, stream[len(mark)+1:len(mark)+n:len(mark)+n]) // without the delimiter itself
		stream = stream[len(mark)+n:]
	}
	return out, nil
}

func (c *Clip) loadPoses(ctx context.Context, path string, see See) error {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &c.Poses)
		if err != nil || len(c.Poses) == 0 || c.Poses[0].Eyes > 0 { // older ones do not tell the eyes
			return err
		}
		c.Poses = nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if see == nil {
		return errors.New("not measured yet, and no vision worker was given")
	}
	for i := 0; i < len(c.Frames); i += poseEvery {
		seen, ok, e := see(ctx, c.Frames[i])
		if e != nil {
			return e
		}
		if ok && len(seen.Faces) == 1 {
			f := seen.Faces[0]
			c.Poses = append(c.Poses, Pose{i, f.Yaw, f.Pitch, f.Mouth, f.Eyes})
		}
	}
	if b, err = json.Marshal(c.Poses); err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
