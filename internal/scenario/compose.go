package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
const composerVersion = "2"

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
		args, err := s.scene(p, sources)
		if err != nil {
			return nil, err
		}
		name, err := sceneName(p.Camera, args)
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

// sceneName names the file after all that decides its content.
func sceneName(c Camera, args []string) (string, error) {
	b, err := json.Marshal(struct {
		Version string
		Args    []string
	}{composerVersion, args})
	if err != nil {
		return "", fmt.Errorf("name clip: %w", err)
	}
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%s-%s.ts", c.ID, hex.EncodeToString(sum[:6])), nil
}

func draw(ctx context.Context, ffmpeg string, args []string, file string) error {
	part := file + ".part"
	cmd := exec.CommandContext(ctx, ffmpeg, append(args, "-f", "mpegts", part)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(string(out))), os.Remove(part))
	}
	return os.Rename(part, file)
}

// scene is ffmpeg's command line for one camera, without the output.
func (s *Scenario) scene(p Place, sources string) ([]string, error) {
	c := p.Camera
	args := []string{
		"-v", "error", "-nostdin", "-y",
		"-f", "lavfi", "-i", fmt.Sprintf("color=c=0xb9b3a4:s=%dx%d:r=%d:d=%g", c.Width, c.Height, c.FPS, s.Length),
	}
	if c.Audio == ward.AAC {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=a=0.01:r=16000:d=%g:seed=7", s.Length))
	}
	first := strings.Count(strings.Join(args, " "), "-i ")
	var graph strings.Builder
	fmt.Fprintf(&graph, "[0]drawbox=x=0:y=0:w=iw:h=ih*0.10:c=0x5d6b78:t=fill,drawbox=x=iw*0.04:y=ih*0.16:w=iw*0.16:h=ih*0.3:c=0x8f8a7d:t=fill,drawbox=x=iw*0.8:y=ih*0.16:w=iw*0.16:h=ih*0.3:c=0x8f8a7d:t=fill[s0]")
	for i, v := range c.Presence {
		actor := s.actor(v.Who)
		clip := filepath.Join(sources, actor.Clip)
		if _, err := os.Stat(clip); err != nil {
			return nil, &ward.Error{Kind: ward.Unavailable, Code: "clips.missing", ZH: "缺少演示片段 " + actor.Clip + "，请先运行 make models。", EN: "the demo clip " + actor.Clip + " is missing; run: make models", Err: err}
		}
		args = append(args, "-ss", fmt.Sprint(actor.Start), "-t", fmt.Sprint(v.To-v.From), "-i", clip)
		cut := ""
		if actor.Crop != "" {
			cut = ",crop=" + actor.Crop
		}
		key := ""
		if actor.Key != "" {
			key = fmt.Sprintf(",colorkey=%s:0.28:0.06", actor.Key)
		}
		h := c.Height * 70 / 100
		// Walks in from the right in one second, stands, walks out the same way.
		x := fmt.Sprintf("(W-w)/2+W*(max(0,%g-t)+max(0,t-%g))", v.From+1, v.To-1)
		fmt.Fprintf(&graph, ";[%d]fps=%d%s,scale=-2:%d%s,setpts=PTS-STARTPTS+%g/TB[p%d];[s%d][p%d]overlay=x='%s':y=H*0.85-h:eof_action=pass:enable='between(t,%g,%g)'[s%d]",
			first+i, c.FPS, cut, h, key, v.From, i, i, i, x, v.From, v.To, i+1)
	}
	fmt.Fprintf(&graph, ";[s%d]drawbox=x=0:y=ih*0.84:w=iw:h=ih*0.16:c=0x6e4f33:t=fill,drawbox=x=0:y=ih*0.84:w=iw:h=ih*0.015:c=0x9a7550:t=fill,"+
		"drawtext=font='Noto Sans CJK SC':text='%s':fontsize=h*0.055:fontcolor=white:x=w*0.03:y=h*0.022,"+
		"drawtext=font='DejaVu Sans Mono':text='%%{pts\\:hms}':fontsize=h*0.045:fontcolor=white:box=1:boxcolor=black@0.5:x=w-tw-w*0.02:y=h*0.025,"+
		"noise=c0s=3:c0f=t,format=yuv420p[v]", len(c.Presence), escape(c.Name))
	args = append(args, "-filter_complex", graph.String(), "-map", "[v]")
	if c.Audio == ward.AAC {
		args = append(args, "-map", "1:a", "-c:a", "aac", "-b:a", "32k")
	}
	args = append(args, "-t", fmt.Sprint(s.Length), "-r", fmt.Sprint(c.FPS), "-fflags", "+bitexact", "-flags", "+bitexact")
	return append(args, coder(c)...), nil
}

// coder codes as a camera does: no B-frames, a key frame each second.
func coder(c Camera) []string {
	if c.Codec == ward.H265 {
		return []string{"-c:v", "libx265", "-preset", "ultrafast", "-b:v", "400k", "-x265-params", fmt.Sprintf("keyint=%d:min-keyint=%d:scenecut=0:bframes=0:repeat-headers=1:log-level=none", c.FPS, c.FPS)}
	}
	return []string{"-c:v", "libx264", "-preset", "superfast", "-profile:v", "main", "-bf", "0", "-g", fmt.Sprint(c.FPS), "-keyint_min", fmt.Sprint(c.FPS), "-sc_threshold", "0", "-b:v", "1200k", "-maxrate", "2000k", "-bufsize", "2000k"}
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
