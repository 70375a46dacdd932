package simcam

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// otherType is how far the second payload type is from the first.
const otherType = 10

func (c *conn) describe(req *base.Request, o *outlet, f *setting) *base.Response {
	if status, err := strconv.Atoi(f.Answer); err == nil {
		return &base.Response{StatusCode: base.StatusCode(status)}
	}
	if f.Redirect != "" {
		return &base.Response{StatusCode: base.StatusFound, Header: base.Header{"Location": base.HeaderValue{f.Redirect}}}
	}
	sdp, err := o.sdp(f)
	if err != nil {
		return &base.Response{StatusCode: base.StatusInternalServerError}
	}
	where := *req.URL
	where.User = nil
	return &base.Response{
		StatusCode: base.StatusOK, Body: sdp,
		Header: base.Header{"Content-Base": base.HeaderValue{strings.TrimSuffix(where.String(), "/") + "/"}, "Content-Type": base.HeaderValue{"application/sdp"}},
	}
}

// sdp is the description of a camera with the lies that its faults tell.
func (o *outlet) sdp(f *setting) ([]byte, error) {
	if f.Garbage == "sdp" {
		return noise(700), nil
	}
	desc := o.desc
	if f.OddCodec {
		desc = oddCodec()
	}
	b, err := desc.Marshal(false)
	if err != nil || f.OddCodec {
		return b, err
	}
	var out strings.Builder
	for i, media := range strings.SplitAfter(strings.ReplaceAll(string(b), "\r\nm=", "\r\n\x00m="), "\x00") {
		media = strings.TrimSuffix(media, "\x00")
		if i > 0 {
			media = o.tracks[i-1].describe(media, f)
		}
		out.WriteString(media)
	}
	return []byte(out.String()), nil
}

// describe changes one media section of the description.
func (t *liveTrack) describe(media string, f *setting) string {
	first := t.films[0]
	if first.video {
		media += fmt.Sprintf("a=framerate:%.6g\r\n", float64(len(first.samples))/(time.Duration(first.length)*time.Second/tsClock).Seconds())
	}
	if f.NewPayloadType > 0 {
		media = bothTypes(media, int(first.media.Formats[0].PayloadType()))
	}
	if f.Audio == "bad_sdp" && !first.video {
		media = regexp.MustCompile(`config=[0-9a-fA-F]+`).ReplaceAllString(media, "config=zz")
		media = regexp.MustCompile(`(a=rtpmap:\d+ [^/]+)/\d+`).ReplaceAllString(media, "$1/never")
	}
	return media
}

// bothTypes announces every format under a second payload type as well.
func bothTypes(media string, pt int) string {
	old, other := strconv.Itoa(pt), strconv.Itoa(pt+otherType)
	var out strings.Builder
	for line := range strings.Lines(media) {
		if strings.HasPrefix(line, "m=") {
			out.WriteString(strings.TrimRight(line, "\r\n") + " " + other + "\r\n")
			continue
		}
		out.WriteString(line)
		for _, kind := range []string{"a=rtpmap:", "a=fmtp:"} {
			if rest, ok := strings.CutPrefix(line, kind+old+" "); ok {
				out.WriteString(kind + other + " " + rest)
			}
		}
	}
	return out.String()
}
