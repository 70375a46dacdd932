package rounds

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// codeNear is by how much the recording's time of a picture may differ from its arrival.
const codeNear = time.Second

// codeSeen is a picture whose code changed a check, by the sealed events.
type codeSeen struct {
	kind ward.CheckKind
	at   time.Time // its arrival
}

func codesSeen(events []ward.VisitEvent) (out []codeSeen) {
	for _, e := range events {
		var b struct {
			Check ward.CheckKind `json:"check"`
			US    int64          `json:"us"`
		}
		if e.Kind == "code" && json.Unmarshal([]byte(e.Body), &b) == nil {
			out = append(out, codeSeen{b.Check, time.UnixMicro(b.US)})
		}
	}
	return out
}

// nearCode says whether a picture of the recording may be one of those.
func nearCode(codes []codeSeen, at time.Time) bool {
	for _, c := range codes {
		if at.Sub(c.at).Abs() <= codeNear {
			return true
		}
	}
	return false
}

// atCode says whether a picture of a tape is one of those.
func atCode(codes []codeSeen, at time.Time) bool {
	for _, c := range codes {
		if at.UnixMicro() == c.at.UnixMicro() {
			return true
		}
	}
	return false
}

// places judges the checks of place again: the position and the network by
// what was sealed of them, the codes by the pictures that showed them. That
// nothing was seen is not searched for again.
func (r *Replayer) places(ctx context.Context, v ward.Visit, events []ward.VisitEvent, looks []look, taped bool) ([]ward.Check, error) {
	version := 0
	for _, e := range events {
		var b placeEvent
		if e.Kind == "place" && json.Unmarshal([]byte(e.Body), &b) == nil {
			version = b.Site
		}
	}
	if version == 0 {
		return nil, nil
	}
	site, err := siteVersion(ctx, r.Store, v, version)
	if err != nil {
		return nil, err
	}
	judges, err := codeJudges(ctx, r.Store, site, v)
	if err != nil {
		return nil, err
	}
	out := judgeReport(site, lastReport(events))
	for _, j := range judges {
		for _, c := range codesSeen(events) {
			if c.kind != j.check().Kind {
				continue
			}
			for _, l := range looks {
				if !nearCode([]codeSeen{c}, l.at) || taped && !atCode([]codeSeen{c}, l.at) {
					continue
				}
				for _, text := range l.codes {
					if _, err := j.see(ctx, text, c.at); err != nil {
						return nil, fmt.Errorf("judge a code of visit %s: %w", v.ID, err)
					}
				}
			}
		}
		out = append(out, j.check())
	}
	return out, nil
}
