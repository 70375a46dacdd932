package rounds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// tape is the visit's, with what the recording shows of it; none when none was kept.
func (r *Replayer) tape(ctx context.Context, out *Replayed, events []ward.VisitEvent) (h tapeHead, all []entry, err error) {
	var was struct{ SHA256 string }
	for _, e := range events {
		if e.Kind == "tape" {
			if err := json.Unmarshal([]byte(e.Body), &was); err != nil {
				return h, nil, fmt.Errorf("event %d of visit %s: %w", e.Seq, e.VisitID, err)
			}
		}
	}
	if was.SHA256 == "" {
		return h, nil, nil
	}
	body, err := r.Store.Tape(ctx, out.Visit.ID)
	if err != nil {
		return h, nil, err
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != was.SHA256 {
		out.differs("the list of the pictures that were looked at is gone or not the one that was sealed")
		return h, nil, nil
	}
	if h, all, err = readTape(body); err != nil {
		return h, nil, fmt.Errorf("visit %s: %w", out.Visit.ID, err)
	}
	return h, all, r.show(ctx, out.Visit, all, codesSeen(events))
}

// show fills in what the recording shows now.
func (r *Replayer) show(ctx context.Context, v ward.Visit, all []entry, codes []codeSeen) error {
	from, to := span(v)
	of, err := r.found(ctx, v, all)
	if err != nil {
		return err
	}
	var eye Eye
	defer func() {
		if eye != nil {
			eye.Close()
		}
	}()
	n := -1
	return r.Library.Pictures(ctx, v.InstitutionID, source(v), from, to, func(p ingest.RecordedPicture) error {
		n++
		if eye == nil {
			eye = r.NewEye(p.Codec)
		}
		e := of[n]
		seen, ok, err := eye.See(ctx, p.AU, p.Key, e != nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !ok || e == nil {
			return nil //nolint:nilerr // a session passes over a picture that cannot be read, too; here it counts as not shown
		}
		l := &look{at: e.at}
		if r.ReadCodes != nil && len(seen.JPEG) > 0 && atCode(codes, e.at) {
			if l.codes, err = r.ReadCodes(ctx, seen.JPEG); err != nil {
				return fmt.Errorf("read codes of visit %s: %w", v.ID, err)
			}
		}
		seen.JPEG = nil
		l.seen, e.look = seen, l
		return nil
	})
}

// found says which recorded picture, by its number, each picture of the tape
// is: the first behind the one before for which a decoder is given the same.
func (r *Replayer) found(ctx context.Context, v ward.Visit, all []entry) (map[int]*entry, error) {
	from, to := span(v)
	var looks []*entry
	for i := range all {
		if all[i].kind == tapeLook {
			looks = append(looks, &all[i])
		}
	}
	var given coded
	numbers := map[uint64][]int{} // of the pictures of a kind
	n := 0
	err := r.Library.Pictures(ctx, v.InstitutionID, source(v), from, to, func(p ingest.RecordedPicture) error {
		au := [][]byte{p.AU}
		if p.Codec == ward.H264 {
			var units h264.AnnexB
			if units.Unmarshal(p.AU) == nil { // else it is no picture that was looked at
				au = units
			}
		}
		given.codec = p.Codec
		sum := given.see(au, p.Key)
		numbers[sum] = append(numbers[sum], n)
		n++
		return nil
	})
	of, next := map[int]*entry{}, 0
	for _, e := range looks {
		i, _ := slices.BinarySearch(numbers[e.coded], next)
		if i < len(numbers[e.coded]) {
			next = numbers[e.coded][i] + 1
			of[next-1] = e
		}
	}
	return of, err
}

// retaped judges the person of a visit again, as the tape says.
func (r *Replayer) retaped(ctx context.Context, out *Replayed, h tapeHead, all []entry, nonce []byte, events []ward.VisitEvent) (checks []ward.Check, looks []look, err error) {
	missing := 0
	for _, e := range all {
		switch {
		case e.kind != tapeLook:
		case e.look == nil:
			missing++
		default:
			looks = append(looks, *e.look)
			if e.look.measured() != e.measured {
				out.Otherwise++
			}
		}
	}
	out.Pictures = len(looks)
	if missing > 0 {
		out.differs("%d of the pictures that were looked at are not in the recording, or cannot be read", missing)
	}
	for _, l := range looks {
		if h.Model != "" && l.seen.ModelID != h.Model {
			out.differs("the model for faces was %s, is %s", h.Model, l.seen.ModelID)
			break
		}
	}
	draw, err := drawOf(events)
	if err != nil {
		return nil, nil, err
	}
	p := &playback{left: all}
	s := &session{
		e:     &Engine{Store: r.Store, Thresholds: ward.FaceThresholds{Match: h.Match, NoMatch: h.NoMatch}},
		visit: out.Visit, lots: &lots{nonce: nonce, version: draw}, played: p, colours: h.Colours,
		reference: out.against(r.Store, h.Enrolled == ""),
	}
	checks, end := s.checkPerson(ctx)
	switch {
	case end == nil:
		checks = append(checks, s.done...)
	case errors.Is(end, errTapeEnd), errors.Is(end, errBlind):
		cause := errCut
		if errors.Is(end, errBlind) {
			cause = errNoEyes
		}
		checks = s.undone(cause)
	case errors.Is(end, errAstray):
		out.differs("after %d steps the checks go another way than they went", len(p.steps))
		checks = s.undone(errCut)
	default:
		return nil, nil, end
	}
	if h.Enrolled != "" && s.enrolled != "" && h.Enrolled != s.enrolled {
		out.differs("the enrolment is another one than at the visit")
	}
	return checks, looks, p.compare(out, events, end == nil)
}

// drawOf is the version of the rules by which the visit's challenges were drawn.
func drawOf(events []ward.VisitEvent) (version int, err error) {
	all, err := steps(events)
	for _, s := range all {
		version = max(version, s.Draw)
	}
	return max(1, version), err
}

// compare says which step is not as it was sealed. A session that was cut
// off may not have stored its last steps.
func (p *playback) compare(out *Replayed, events []ward.VisitEvent, whole bool) error {
	was, err := steps(events)
	if err != nil {
		return err
	}
	for i, now := range p.steps {
		if i >= len(was) {
			if whole {
				out.differs("%s was not", now.words())
			}
			return nil
		}
		if w := was[i]; w.words() != now.words() {
			out.differs("%s, is %s", w.words(), now.words())
			return nil // what follows differs with it
		}
	}
	if len(was) > len(p.steps) {
		out.differs("%s, is not", was[len(p.steps)].words())
	}
	return nil
}

// steps are the events of the checks of the person, without repetitions.
func steps(events []ward.VisitEvent) (out []step, err error) {
	for _, e := range events {
		s := step{kind: e.Kind}
		switch e.Kind {
		case "nonce":
			return out, nil
		case "live", "command", "answer", "check":
			var b struct {
				sealedStep

				Try int `json:"try"`
			}
			if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
				return nil, fmt.Errorf("event %d of visit %s: %w", e.Seq, e.VisitID, err)
			}
			s.sealedStep = b.sealedStep
			if b.Try > 1 || e.Kind == "check" && b.Check != ward.CheckLive && b.Check != ward.CheckFace && b.Check != ward.CheckColours {
				continue
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// words name a step; those of equal ones are the same.
func (s step) words() string {
	switch s.kind {
	case "live":
		drawn := uint64(0)
		if s.Drawn != nil {
			drawn = *s.Drawn
		}
		return fmt.Sprintf("the live check began after %d random numbers", drawn)
	case "command":
		return fmt.Sprintf("command %d was %s", s.ID, s.Command)
	case "answer":
		return fmt.Sprintf("answer to command %d was %s", s.ID, s.Result)
	}
	return fmt.Sprintf("check %s was %s", s.Check, s.Outcome)
}
