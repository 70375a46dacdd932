package simcam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"wardwatch/internal/spelling"
)

// Faults is how a simulated camera differs from a good one. The zero value
// is a good camera. Each field is a knob with the name in its yaml tag;
// what it does is in its help tag, which Knobs and the README show.
type Faults struct {
	Auth        string        `yaml:"auth" of:"digest,sha256,basic,wrong_realm" help:"credentials asked for: digest (MD5, the default), sha256, basic, or wrong_realm (a challenge that nobody can answer)"`
	Answer      string        `yaml:"answer" help:"a status such as 404 or 503 in answer to DESCRIBE, close (hang up) or never (keep the connection and say nothing)"`
	AnswerAfter time.Duration `yaml:"answer_after" help:"how late every answer comes"`
	Redirect    string        `yaml:"redirect" help:"an rtsp:// address to send clients to"`
	OddCodec    bool          `yaml:"odd_codec" help:"offers MPEG-4 part 2 only, which nobody records"`
	Garbage     string        `yaml:"garbage" of:"payload,packets,rtsp,sdp,endless_sdp" help:"random bytes as RTP payload, whole RTP packets, RTSP answers or SDP: payload, packets, rtsp, sdp; or endless_sdp"`

	Transport      string        `yaml:"transport" of:"tcp_only,udp_only,udp_lost" help:"tcp_only (461 for UDP), udp_only (461 for TCP) or udp_lost (UDP accepted, nothing arrives)"`
	SessionTimeout time.Duration `yaml:"session_timeout" help:"announced, and enforced: a session without a request for so long is closed (default 60s)"`
	GetParameter   int           `yaml:"get_parameter" help:"the status in answer to GET_PARAMETER: 454 (although offered), 405 or 501 (and not offered)"`
	MaxSessions    int           `yaml:"max_sessions" help:"more than so many sessions are refused with 453"`
	WriteRate      int           `yaml:"write_rate" help:"bytes a second at which the camera writes a TCP connection, in dribs"`

	Stall     bool          `yaml:"stall" help:"the connection stays, and no packet comes"`
	Off       bool          `yaml:"off" help:"no power: connections are cut, and new ones closed without an answer"`
	FlapUp    time.Duration `yaml:"flap_up" help:"with flap_down: works for so long, then"`
	FlapDown  time.Duration `yaml:"flap_down" help:"is off for so long, again and again"`
	CutMidGOP time.Duration `yaml:"cut_mid_gop" help:"a connection of this age is cut in the middle of a picture in the middle of a GOP"`

	NewSSRC        time.Duration `yaml:"new_ssrc" help:"every so often another SSRC, sequence number and RTP time base in the same session"`
	NewPayloadType time.Duration `yaml:"new_payload_type" help:"every so often the other of two payload types; both are in the SDP if the knob is set when it is asked for"`
	NewSPS         time.Duration `yaml:"new_sps" help:"every so often the camera's second clip, of another size, at a key frame"`
	Second         bool          `yaml:"second" help:"the camera's second clip is shown, from its next key frame on"`
	Frozen         bool          `yaml:"frozen" help:"the last key frame is sent again for every picture: the camera's picture stands still"`
	NoKey          bool          `yaml:"no_key" help:"no key frame is sent (H.264, H.265)"`
	RealFPS        float64       `yaml:"real_fps" help:"pictures come so often, whatever the SPS and the SDP declare"`
	RTPTime        string        `yaml:"rtp_time" of:"constant,jumping,backwards" help:"RTP time stamps: constant, jumping (10 min ahead every 3 s) or backwards (2 s back every 3 s)"`
	RTPRate        float64       `yaml:"rtp_rate" help:"RTP ticks a second of the video in place of 90000"`
	Loss           float64       `yaml:"loss" help:"percent of the RTP packets lost"`
	Duplicate      float64       `yaml:"duplicate" help:"percent of the RTP packets sent twice"`
	Reorder        float64       `yaml:"reorder" help:"percent of the RTP packets sent after the next one"`

	NoRTCP      bool          `yaml:"no_rtcp" help:"no sender reports"`
	ClockOffset time.Duration `yaml:"clock_offset" help:"the camera's clock in sender reports, ahead of ours; switch it for a clock that jumps"`
	ClockDrift  float64       `yaml:"clock_drift" help:"seconds that the camera's clock gains every second, in sender reports and RTP time"`

	Card string `yaml:"card" of:"onvif,plain" help:"what it shows is stored on a card and played again: onvif (PLAY with Range: clock=..., each picture with its moment) or plain (an address ending in ?starttime=20261122T020000Z&endtime=...)"`

	Audio string `yaml:"audio" of:"silent,garbage,bad_sdp" help:"silent (no packet), garbage (random payload) or bad_sdp (a description that cannot be parsed)"`
}

// Knob is one field of Faults for people.
type Knob struct {
	Name string
	Kind string // text, number, time or yes/no
	Help string
}

// Knobs lists all, in the order of Faults.
func Knobs() []Knob {
	var all []Knob
	for f := range reflect.TypeFor[Faults]().Fields() {
		k := Knob{Name: f.Tag.Get("yaml"), Help: f.Tag.Get("help"), Kind: "number"}
		switch {
		case f.Type == reflect.TypeFor[time.Duration]():
			k.Kind = "time"
		case f.Type.Kind() == reflect.String:
			k.Kind = "text"
		case f.Type.Kind() == reflect.Bool:
			k.Kind = "yes/no"
		}
		all = append(all, k)
	}
	return all
}

// UnmarshalYAML refuses unknown knobs, naming the nearest, and wrong values.
func (f *Faults) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: faults are knobs with values, such as {loss: 5}", n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if err := f.known(n.Content[i].Value); err != nil {
			return fmt.Errorf("line %d: %w", n.Content[i].Line, err)
		}
	}
	type plain Faults
	if err := n.Decode((*plain)(f)); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

func (f *Faults) known(name string) error {
	var names []string
	for _, k := range Knobs() {
		names = append(names, k.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("there is no knob %q; did you mean %q? (wardwatch sim knobs lists all)", name, spelling.Nearest(name, names))
}

// ParseFaults reads knobs as a command line gives them: loss=5,stall=true.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	var doc strings.Builder
	for knob := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(knob, "=")
		if !ok {
			return f, fmt.Errorf("%q is no knob with a value, such as loss=5", knob)
		}
		fmt.Fprintf(&doc, "%s: %s\n", strings.TrimSpace(name), strings.TrimSpace(value))
	}
	err := yaml.NewDecoder(bytes.NewReader([]byte(doc.String()))).Decode(&f)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("knobs %q: %w", text, err)
	}
	return f, nil
}

// check finds values out of range.
func (f *Faults) check() error {
	for field, value := range reflect.ValueOf(*f).Fields() {
		of, enum := field.Tag.Lookup("of")
		if enum && value.String() != "" && !slices.Contains(strings.Split(of, ","), value.String()) {
			return fmt.Errorf("%s is %q: give one of %s", field.Tag.Get("yaml"), value.String(), of)
		}
	}
	for name, percent := range map[string]float64{"loss": f.Loss, "duplicate": f.Duplicate, "reorder": f.Reorder} {
		if percent < 0 || percent > 100 {
			return fmt.Errorf("%s is %v: give 0 to 100 percent", name, percent)
		}
	}
	if status, err := strconv.Atoi(f.Answer); f.Answer != "" && f.Answer != answerClose && f.Answer != answerNever && (err != nil || status < 300 || status > 599) {
		return fmt.Errorf("answer is %q: give a status from 300 to 599, close or never", f.Answer)
	}
	if !slices.Contains([]int{0, 405, 454, 501}, f.GetParameter) {
		return fmt.Errorf("get_parameter is %d: give 405, 454 or 501", f.GetParameter)
	}
	if u, err := url.Parse(f.Redirect); f.Redirect != "" && (err != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Host == "") {
		return errors.New("redirect: give an rtsp:// or rtsps:// address")
	}
	if (f.FlapUp > 0) != (f.FlapDown > 0) {
		return errors.New("flap_up and flap_down go together")
	}
	negative := map[string]bool{
		"answer_after": f.AnswerAfter < 0, "session_timeout": f.SessionTimeout < 0, "max_sessions": f.MaxSessions < 0, "write_rate": f.WriteRate < 0,
		"flap_up": f.FlapUp < 0, "cut_mid_gop": f.CutMidGOP < 0, "new_ssrc": f.NewSSRC < 0, "new_payload_type": f.NewPayloadType < 0,
		"new_sps": f.NewSPS < 0, "real_fps": f.RealFPS < 0, "rtp_rate": f.RTPRate < 0,
	}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if negative[name] {
			return fmt.Errorf("%s is negative", name)
		}
	}
	return nil
}

// The answers that are no status.
const (
	answerClose = "close"
	answerNever = "never"
)

// up says whether a camera with these faults has power, so long after they
// were set.
func (f *Faults) up(since time.Duration) bool {
	if f.FlapUp > 0 && since%(f.FlapUp+f.FlapDown) >= f.FlapUp {
		return false
	}
	return !f.Off
}
