package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"wardwatch/ward"
)

// composerVersion changes when compose draws differently, so that stored clips are made anew.
const composerVersion = "3"

// walk is how many seconds it takes to walk into the picture, and out of it.
const walk = 1

// Compose draws every camera's clip with ffmpeg: a counter, people of the
// demo clips who walk up, stand and leave, and the time of the clip. A clip
// that is already in dir for the same scene is kept. It returns the films of
// each camera.
func (s *Scenario) Compose(ctx context.Context, sources, dir string, progress io.Writer) (map[ward.CameraID]Films, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "ffmpeg.missing", ZH: "找不到 ffmpeg，请先运行 deploy/setup.sh run。", EN: "ffmpeg was not found; run: deploy/setup.sh run"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make clip folder: %w", err)
	}
	files := map[ward.CameraID]Films{}
	for i, p := range s.Cameras() {
		c := composer{s, ffmpeg, sources, dir, func() {
			_, _ = fmt.Fprintf(progress, "composing camera clip %d of %d (%s)…\n", i+1, len(s.Cameras()), p.Camera.ID)
		}}
		var films Films
		if films.First, err = c.compose(ctx, p); err != nil {
			return nil, err
		}
		if second := p; p.Camera.Second != (Size{}) {
			second.Camera.Width, second.Camera.Height = p.Camera.Second.Width, p.Camera.Second.Height
			if films.Second, err = c.compose(ctx, second); err != nil {
				return nil, err
			}
		}
		files[p.Camera.ID] = films
	}
	return files, nil
}

// Films are the files of a camera's clip and, where it has one, its second clip.
type Films struct{ First, Second string }

// composer draws clips into a folder.
type composer struct {
	scenario             *Scenario
	ffmpeg, sources, dir string
	say                  func()
}

func (c composer) compose(ctx context.Context, p Place) (string, error) {
	args := c.scenario.scene(p, c.sources)
	name, err := sceneName(p.Camera, args)
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.dir, name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	c.say()
	if err := draw(ctx, c.ffmpeg, args, file); err != nil {
		return "", fmt.Errorf("compose %s: %w", p.Camera.ID, err)
	}
	return file, nil
}

// sceneName names the file after all that decides its content: the command
// line, and the demo clips' bytes in the place of their paths.
func sceneName(c Camera, args []string) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00", composerVersion)
	for i, a := range args {
		if i > 1 && args[i-1] == "-i" && args[i-2] != "lavfi" {
			b, err := os.ReadFile(a)
			if err != nil {
				return "", &ward.Error{Kind: ward.Unavailable, Code: "clips.missing", ZH: "缺少演示片段 " + filepath.Base(a) + "，请先运行 make models。", EN: "the demo clip " + filepath.Base(a) + " is missing; run: make models", Err: err}
			}
			sum := sha256.Sum256(b)
			a = hex.EncodeToString(sum[:])
		}
		_, _ = fmt.Fprintf(h, "%s\x00", a)
	}
	kind := ".ts"
	if c.Codec == ward.MJPEG {
		kind = ".mjpeg"
	}
	return fmt.Sprintf("%s-%s%s", c.ID, hex.EncodeToString(h.Sum(nil)[:6]), kind), nil
}

// draw makes the file whole or not at all.
func draw(ctx context.Context, ffmpeg string, args []string, file string) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part-")
	if err != nil {
		return err
	}
	part := f.Name()
	if err := f.Close(); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	cmd := exec.CommandContext(ctx, ffmpeg, append(args, "-f", muxer(file), part)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(string(out))), os.Remove(part))
	}
	return os.Rename(part, file)
}

func muxer(file string) string {
	if filepath.Ext(file) == ".mjpeg" {
		return "mjpeg"
	}
	return "mpegts"
}

// scene is ffmpeg's command line for one camera, without the output.
func (s *Scenario) scene(p Place, sources string) []string {
	c := p.Camera
	args := []string{
		"-v", "error", "-nostdin", "-y",
		"-f", "lavfi", "-i", fmt.Sprintf("color=c=0xb9b3a4:s=%dx%d:r=%d:d=%g", c.Width, c.Height, c.FPS, s.Length),
	}
	first := 1 // input of the first person
	rate, sound := 0, []string(nil)
	switch c.Audio { //nolint:exhaustive // the rest is made by the simulator
	case ward.AAC:
		rate, sound = 16000, []string{"-c:a", "aac", "-b:a", "32k"}
	case ward.Opus:
		rate, sound = 48000, []string{"-c:a", "libopus", "-b:a", "32k"}
	}
	if rate > 0 {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=a=0.01:r=%d:d=%g:seed=7", rate, s.Length))
		first = 2
	}
	var graph strings.Builder
	graph.WriteString("[0]drawbox=x=0:y=0:w=iw:h=ih*0.10:c=0x5d6b78:t=fill,drawbox=x=iw*0.04:y=ih*0.16:w=iw*0.16:h=ih*0.3:c=0x8f8a7d:t=fill,drawbox=x=iw*0.8:y=ih*0.16:w=iw*0.16:h=ih*0.3:c=0x8f8a7d:t=fill[s0]")
	for i, v := range c.Presence {
		actor := s.actor(v.Who)
		args = append(args, "-ss", fmt.Sprint(actor.Start), "-t", fmt.Sprint(v.To-v.From), "-i", filepath.Join(sources, actor.Clip))
		graph.WriteString(actor.cutOut(first+i, i, c))
		// Walks in from the right, stands, walks out the same way.
		x := fmt.Sprintf("(W-w)/2+W/%d*(max(0,%g-t)+max(0,t-%g))", walk, v.From+walk, v.To-walk)
		fmt.Fprintf(&graph, ";[c%d]setpts=PTS-STARTPTS+%g/TB[p%d];[s%d][p%d]overlay=x='%s':y=H*0.85-h:eof_action=pass:enable='between(t,%g,%g)'[s%d]",
			i, v.From, i, i, i, x, v.From, v.To, i+1)
	}
	fmt.Fprintf(&graph, ";[s%d]drawbox=x=0:y=ih*0.84:w=iw:h=ih*0.16:c=0x6e4f33:t=fill,drawbox=x=0:y=ih*0.84:w=iw:h=ih*0.015:c=0x9a7550:t=fill,"+
		"drawtext=font='Noto Sans CJK SC':text='%s':fontsize=h*0.055:fontcolor=white:x=w*0.03:y=h*0.022,"+
		"drawtext=font='DejaVu Sans Mono':text='clip %%{pts\\:hms}':fontsize=h*0.045:fontcolor=white:box=1:boxcolor=black@0.5:x=w-tw-w*0.02:y=h*0.025,"+
		"noise=c0s=3:c0f=t,format=yuv420p[v]", len(c.Presence), escape(c.Name))
	args = append(args, "-filter_complex", graph.String(), "-map", "[v]")
	if rate > 0 {
		args = append(append(args, "-map", "1:a"), sound...)
	}
	args = append(args, "-t", fmt.Sprint(s.Length), "-r", fmt.Sprint(c.FPS), "-fflags", "+bitexact", "-flags", "+bitexact")
	return append(args, coder(c)...)
}

// cutOut takes the person out of input in as [c<n>]: a coloured backdrop
// becomes transparent; any other fades out at the sides and the top.
func (a Actor) cutOut(in, n int, c Camera) string {
	crop := ""
	if a.Crop != "" {
		crop = ",crop=" + a.Crop
	}
	size := fmt.Sprintf("scale=-2:%d", c.Height*70/100)
	w, h, ok := a.cropSize()
	switch {
	case a.Key != "":
		return fmt.Sprintf(";[%d]fps=%d%s,%s,colorkey=%s:0.28:0.06[c%d]", in, c.FPS, crop, size, a.Key, n)
	case !ok:
		return fmt.Sprintf(";[%d]fps=%d%s,%s[c%d]", in, c.FPS, crop, size, n)
	}
	return fmt.Sprintf(";[%d]fps=%d%s,format=yuva420p[f%d];"+
		"nullsrc=s=%dx%d:r=1:d=1,geq=lum='255*clip(min(min(X,W-1-X),Y)/32,0,1)':cb=128:cr=128,format=gray[m%d];"+
		"[f%d][m%d]alphamerge,%s[c%d]", in, c.FPS, crop, n, w, h, n, n, n, size, n)
}

// cropSize is the width and height of the crop in pixels.
func (a Actor) cropSize() (w, h int, ok bool) {
	n, err := fmt.Sscanf(a.Crop, "%d:%d:", &w, &h)
	return w, h, err == nil && n == 2
}

// coder codes as a camera does: no B-frames and a key frame each second unless
// the scenario says otherwise. Quality is given, not a bit rate: x264's rate
// control differs from run to run.
func coder(c Camera) []string {
	gop := c.FPS
	if c.GOP > 0 {
		gop = max(1, int(c.GOP*float64(c.FPS)))
	}
	switch c.Codec { //nolint:exhaustive // check allows no other
	case ward.MJPEG:
		return []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "6", "-huffman", "default", "-force_duplicated_matrix", "1"}
	case ward.H265:
		return []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "26", "-x265-params", fmt.Sprintf("keyint=%d:min-keyint=%d:scenecut=0:bframes=%d:open-gop=0:repeat-headers=1:log-level=none", gop, gop, c.BFrames)}
	}
	return []string{"-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-bf", fmt.Sprint(c.BFrames), "-g", fmt.Sprint(gop), "-keyint_min", fmt.Sprint(gop), "-sc_threshold", "0", "-crf", "26", "-maxrate", "2500k", "-bufsize", "2500k"}
}

func (s *Scenario) actor(id string) Actor {
	for _, a := range s.Actors {
		if a.ID == id {
			return a
		}
	}
	return Actor{}
}

// escape makes text safe inside drawtext's single quotes.
func escape(text string) string {
	return strings.NewReplacer(`\`, "", "'", "", ":", `\:`, "%", "").Replace(text)
}

// Still writes one picture of a demo clip as JPEG.
func Still(ctx context.Context, clip string, at float64) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-ss", fmt.Sprint(at), "-i", clip, "-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "-")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("take a picture from %s: %w", filepath.Base(clip), err)
	}
	return out, nil
}
