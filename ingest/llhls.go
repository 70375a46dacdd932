package ingest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// blockFor bounds how long a request waits for a part: three target
// durations would be allowed, but a camera that sends nothing should be known sooner.
const blockFor = 8 * time.Second

// ready says whether the playlist has part p of segment msn, or all of the
// segment if p is negative; called locked.
func (m *muxer) ready(msn int64, p int) bool {
	i := msn - m.first
	switch {
	case i < 0:
		return true
	case i >= int64(len(m.segments)):
		return false
	case m.segments[i].complete:
		return true
	}
	return p >= 0 && p < len(m.segments[i].parts)
}

// wait returns when ok is true; it is called locked. It fails when the muxer
// has ended or nothing comes.
func (m *muxer) wait(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, blockFor)
	defer cancel()
	for {
		m.mu.Lock()
		m.asked = time.Now()
		done, ended, changed := ok(), m.ended, m.changed
		m.mu.Unlock()
		switch {
		case done:
			return nil
		case ended:
			return notLive(nil)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return notLive(ctx.Err())
		}
	}
}

// playlist waits for segment msn with part (below 0: any state will do) and
// returns the playlist. Files are relative to prefix. The error is
// camera.not_live when it does not come, live.ahead for one far in the future.
func (m *muxer) playlist(ctx context.Context, prefix string, msn int64, part int) ([]byte, error) {
	ahead := false
	err := m.wait(ctx, func() bool {
		if len(m.segments) == 0 || !m.segments[0].complete {
			return false
		}
		ahead = msn > m.first+int64(len(m.segments))+1
		return ahead || msn < 0 || m.ready(msn, part)
	})
	if err != nil {
		return nil, err
	}
	if ahead {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "live.ahead", ZH: "请求的片段超前太多，请重新打开画面。", EN: "The requested segment is too far ahead; open the view again."}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text(prefix + m.name + "-"), nil
}

// mostDiscontinuity bounds the discontinuity sequence, which tells a muxer
// from the one before: hls.js keeps an array with so many places, and stands
// still over one of 10⁹.
const mostDiscontinuity = 100_000

// text is the playlist (draft-pantos-hls-rfc8216bis); called locked.
func (m *muxer) text(file string) []byte {
	var b strings.Builder
	target := max(m.longest, partLength+partLength/4).Seconds()
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%d\n", int(mostSegment.Seconds()))
	fmt.Fprintf(&b, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=%.3f\n#EXT-X-PART-INF:PART-TARGET=%.3f\n", 3*target, target)
	fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n#EXT-X-MAP:URI=\"%sinit.mp4\"\n", m.first, m.began.Unix()%mostDiscontinuity, file)
	for i, s := range m.segments {
		n := m.first + int64(i)
		if s.complete || len(s.parts) > 0 {
			fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n", s.date.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		}
		if i >= len(m.segments)-1-partsFor {
			for k, p := range s.parts {
				fmt.Fprintf(&b, "#EXT-X-PART:DURATION=%.5f,URI=\"%s%d.%d.mp4\"", p.length.Seconds(), file, n, k)
				if p.key {
					b.WriteString(",INDEPENDENT=YES")
				}
				b.WriteByte('\n')
			}
		}
		if s.complete {
			fmt.Fprintf(&b, "#EXTINF:%.5f,\n%s%d.mp4\n", s.length.Seconds(), file, n)
			continue
		}
		fmt.Fprintf(&b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%s%d.%d.mp4\"\n", file, n, len(s.parts))
	}
	return []byte(b.String())
}

// file returns what a playlist names, without the muxer's name in front. It
// waits for the part that the playlist hints at. The error is ward.NotFound
// for anything else.
func (m *muxer) file(ctx context.Context, name string) ([]byte, error) {
	if name == "init.mp4" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked = time.Now()
		return m.init, nil
	}
	msn, part, ok := fileNumbers(name)
	if !ok {
		return nil, noSuchPart()
	}
	hinted := false
	err := m.wait(ctx, func() bool {
		n := int64(len(m.segments))
		hinted = msn == m.first+n-1 && n > 0 && part == len(m.segments[n-1].parts)
		return !hinted
	})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := msn - m.first
	switch {
	case i < 0 || i >= int64(len(m.segments)):
	case part < 0 && m.segments[i].complete:
		return m.segments[i].data(), nil
	case part >= 0 && part < len(m.segments[i].parts) && i >= int64(len(m.segments)-2-partsFor):
		return m.segments[i].parts[part].data, nil
	}
	return nil, noSuchPart()
}

// fileNumbers reads "12.3.mp4", a part, or "12.mp4", a segment (part -1).
func fileNumbers(name string) (msn int64, part int, ok bool) {
	name, ok = strings.CutSuffix(name, ".mp4")
	whole, rest, isPart := strings.Cut(name, ".")
	msn, err := strconv.ParseInt(whole, 10, 64)
	part = -1
	if err == nil && isPart {
		part, err = strconv.Atoi(rest)
		ok = ok && part >= 0
	}
	return msn, part, ok && err == nil && msn >= 0
}

func noSuchPart() error {
	return &ward.Error{Kind: ward.NotFound, Code: "live.part", ZH: "该片段已过期，请重新打开画面。", EN: "This part is gone; open the view again."}
}
