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
// that is already in dir for the same scene is kept. It returns the file of
// each camera.
func (s *Scenario) Compose(ctx context.Context, sources, dir string, progress io.Writer) (map[ward.CameraID]string, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "ffmpeg.missing", ZH: "找不到 ffmpeg，请先运行 deploy/setup.sh run。", EN: "ffmpeg was not found; run: deploy/setup.sh run"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make clip folder: %w", err)
	}
	files := map[ward.CameraID]string{}
	for i, p := range s.Cameras() {
		args := s.scene(p, sources)
		name, err := sceneName(p.Camera.ID, args)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, name)
		files[p.Camera.ID] = file
		if _, err := os.Stat(file); err == nil {
			continue
		}
		_, _ = fmt.Fprintf(progress, "composing camera clip %d of %d (%s)…\n", i+1, len(s.Cameras()), p.Camera.ID)
		if err := draw(ctx, ffmpeg, args, file); err != nil {
			return nil, fmt.Errorf("compose %s: %w", p.Camera.ID, err)
		}
	}
	return files, nil
}

// sceneName names the file after all that decides its content: the command
// line, and the demo clips' bytes in the place of their paths.
func sceneName(id ward.CameraID, args []string) (string, error) {
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
	return fmt.Sprintf("%s-%s.ts", id, hex.EncodeToString(h.Sum(nil)[:6])), nil
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
	cmd := exec.CommandContext(ctx, ffmpeg, append(args, "-f", "mpegts", part)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(string(out))), os.Remove(part))
	}
	return os.Rename(part, file)
}

// scene is ffmpeg's command line for one camera, without the output.
func (s *Scenario) scene(p Place, sources string) []string {
	c := p.Camera
	args := []string{
		"-v", "error", "-nostdin", "-y",
		"-f", "lavfi", "-i", fmt.Sprintf("color=c=0xb9b3a4:s=%dx%d:r=%d:d=%g", c.Width, c.Height, c.FPS, s.Length),
	}
	first := 1 // input of the first person
	if c.Audio == ward.AAC {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=a=0.01:r=16000:d=%g:seed=7", s.Length))
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
	if c.Audio == ward.AAC {
		args = append(args, "-map", "1:a", "-c:a", "aac", "-b:a", "32k")
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

// coder codes as a camera does: no B-frames, a key frame each second. Quality
// is given, not a bit rate: x264's rate control differs from run to run.
func coder(c Camera) []string {
	if c.Codec == ward.H265 {
		return []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "26", "-x265-params", fmt.Sprintf("keyint=%d:min-keyint=%d:scenecut=0:bframes=0:open-gop=0:repeat-headers=1:log-level=none", c.FPS, c.FPS)}
	}
	return []string{"-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-bf", "0", "-g", fmt.Sprint(c.FPS), "-keyint_min", fmt.Sprint(c.FPS), "-sc_threshold", "0", "-crf", "26", "-maxrate", "2500k", "-bufsize", "2500k"}
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
