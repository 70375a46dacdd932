package rounds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Replayer judges sealed visits again from what is stored.
type Replayer struct {
	Store      *storage.Store
	Library    *ingest.Library
	NewEye     func(ward.Codec) Eye
	Thresholds ward.FaceThresholds // zero: the default ones
	// ReadCodes reads the bar codes of a JPEG; nil: no code is seen.
	ReadCodes func(ctx context.Context, jpeg []byte) ([]string, error)
}

// Replayed is what a visit's media and events give now.
type Replayed struct {
	Visit    ward.Visit
	Sealed   []ward.Check // as they were
	Now      []ward.Check // as the pictures show them
	Verdict  ward.Verdict // of Now
	Pictures int          // looked at
	// Otherwise counts pictures that measure otherwise than they did: by other
	// models, or a processor that rounds differently. It is no difference by itself.
	Otherwise int
	// Guessed: no list of the pictures that were looked at is kept of the visit,
	// so that all were; an answer may then be found that was too late.
	Guessed bool
	// Differ says what is not as it was sealed; empty: the same verdict for the same reasons.
	Differ []string
}

// Replay checks that the events, the nonce and the recording are what was
// sealed, and runs the checks again over them. What a human decided is not
// judged again; the checks that the human saw are.
func (r *Replayer) Replay(ctx context.Context, id ward.VisitID) (out Replayed, err error) {
	if out.Visit, err = r.Store.Visit(ctx, id); err != nil {
		return out, err
	}
	if out.Visit.State != ward.VisitSealed {
		return out, &ward.Error{Kind: ward.Conflict, Code: "replay.not_sealed", ZH: "该查访尚无结论，不能复核。", EN: "The visit has no verdict yet; there is nothing to replay."}
	}
	events, err := r.Store.VisitEvents(ctx, id)
	if err != nil {
		return out, err
	}
	if out.Sealed, err = r.Store.Checks(ctx, id); err != nil {
		return out, err
	}
	nonce, err := r.proven(ctx, &out, events)
	if err != nil {
		return out, err
	}
	if len(nonce) == 0 { // no challenge was ever over, or the visit is older than nonces
		out.Verdict = out.Visit.Verdict
		if len(out.Sealed) > 0 {
			out.differs("no nonce was revealed: the checks cannot be run again")
		}
		return out, nil
	}
	head, tape, err := r.tape(ctx, &out, events)
	if err != nil {
		return out, err
	}
	var looks []look
	if out.Guessed = tape == nil; out.Guessed {
		out.Now, looks, err = r.guessed(ctx, &out, nonce, events)
	} else {
		out.Now, looks, err = r.retaped(ctx, &out, head, tape, nonce, events)
	}
	if err != nil {
		return out, err
	}
	places, err := r.places(ctx, out.Visit, events, looks, !out.Guessed)
	if err != nil {
		return out, err
	}
	out.Now = append(out.Now, places...)
	policy, err := r.Store.CheckPolicyVersion(ctx, out.Visit.Policy)
	if err != nil {
		return out, err
	}
	out.asSealed()
	out.Verdict = ward.Decide(out.Now, policy)
	out.compare()
	return out, nil
}

// guessed judges the person of a visit without a tape again.
func (r *Replayer) guessed(ctx context.Context, out *Replayed, nonce []byte, events []ward.VisitEvent) ([]ward.Check, []look, error) {
	looks, err := r.looks(ctx, out.Visit, codesSeen(events))
	if err != nil {
		return nil, nil, err
	}
	out.Pictures = len(looks)
	again := newRerun(looks, nonce)
	for _, e := range events {
		if err := again.step(e); err != nil {
			return nil, nil, err
		}
	}
	p, err := out.against(r.Store, false)(ctx, out.Visit)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return nil, nil, err
	}
	t := r.Thresholds
	if t == (ward.FaceThresholds{}) {
		t = ward.DefaultFaceThresholds
	}
	out.Differ = append(out.Differ, again.differ...)
	return again.outcomes(p, t), looks, nil
}

// proven compares events, nonce and recording with what the ledger holds,
// and returns the nonce.
func (r *Replayer) proven(ctx context.Context, out *Replayed, events []ward.VisitEvent) (nonce []byte, err error) {
	rec, err := r.Store.Sealed(ctx, out.Visit.Leaf)
	if err != nil {
		return nil, err
	}
	var was sealed.Verdict
	if err := rec.Into(&was); err != nil {
		return nil, err
	}
	now, err := r.Store.SealedEvents(ctx, out.Visit.ID)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(now); was.Events != hex.EncodeToString(sum[:]) {
		out.differs("the events are not those that were sealed")
	}
	from, to := span(out.Visit)
	sums, err := r.Library.Sums(ctx, out.Visit.InstitutionID, source(out.Visit), from, to)
	if err != nil {
		return nil, err
	}
	for _, g := range was.Segments {
		if sum, ok := sums[g.ID]; !ok || hex.EncodeToString(sum[:]) != g.SHA256 {
			out.differs("recording %s is gone or not the one that was sealed", g.ID)
		}
	}
	for _, e := range events {
		var b struct{ Nonce string }
		if e.Kind == "nonce" && json.Unmarshal([]byte(e.Body), &b) == nil {
			nonce, _ = hex.DecodeString(b.Nonce) // of another length when it is not hex: then it is not the committed one
		}
	}
	commitment, err := r.Store.ChallengeCommitment(ctx, out.Visit)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(nonce); len(nonce) > 0 && commitment != hex.EncodeToString(sum[:]) {
		out.differs("the nonce is not the one that was committed to with the order")
	}
	return nonce, nil
}

// looks looks at the recording as a session does while it runs, and reads
// the codes where they were seen.
func (r *Replayer) looks(ctx context.Context, v ward.Visit, codes []codeSeen) (out []look, err error) {
	var eye Eye
	defer func() {
		if eye != nil {
			eye.Close()
		}
	}()
	var still stillness
	var full time.Time
	from, to := span(v)
	err = r.Library.Pictures(ctx, v.InstitutionID, source(v), from, to, func(p ingest.RecordedPicture) error {
		if eye == nil {
			eye = r.NewEye(p.Codec)
		}
		wanted := p.At.Sub(full) >= lookEvery || nearCode(codes, p.At)
		seen, ok, err := eye.See(ctx, p.AU, p.Key, wanted)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !ok || !wanted {
			return nil //nolint:nilerr // a session passes over a picture that cannot be read, too
		}
		l := look{at: p.At, frozen: still.see(p.At, seen)}
		if r.ReadCodes != nil && len(seen.JPEG) > 0 && nearCode(codes, p.At) {
			if l.codes, err = r.ReadCodes(ctx, seen.JPEG); err != nil {
				return fmt.Errorf("read codes of visit %s: %w", v.ID, err)
			}
		}
		full, seen.JPEG = p.At, nil
		l.seen = seen
		out = append(out, l)
		return nil
	})
	return out, err
}

func source(v ward.Visit) ward.Source { return ward.Source{Kind: ward.FromVisit, ID: string(v.ID)} }

// span is when the visit's recording can have been made.
func span(v ward.Visit) (from, to time.Time) { return v.Opened, v.Sealed.Add(time.Minute) }

// asSealed takes over the checks that compare visits with each other: what
// they were compared with is erased by now, or has grown since.
func (o *Replayed) asSealed() {
	for _, c := range o.Sealed {
		if c.Kind == ward.CheckOtherBed || c.Kind == ward.CheckSeenBefore {
			o.Now = append(o.Now, c)
		}
	}
}

// compare adds what differs from the sealed checks and the verdict.
func (o *Replayed) compare() {
	now := map[ward.CheckKind]ward.Outcome{}
	for _, c := range o.Now {
		now[c.Kind] = c.Outcome
	}
	for _, c := range o.Sealed {
		if n, ok := now[c.Kind]; ok && n != c.Outcome {
			o.differs("check %s was %s, is %s", c.Kind, c.Outcome, n)
		} else if !ok && c.Outcome != ward.NotDone {
			o.differs("check %s was %s, is not done", c.Kind, c.Outcome)
		}
	}
	was := o.Visit.Verdict
	if !o.Visit.DecideBy.IsZero() {
		was = ward.Undecided // by the checks; nobody decided in time
	}
	if o.Visit.DecidedBy == "" && len(o.Sealed) > 0 && o.Verdict != was {
		o.differs("the verdict of the checks was %s, is %s", was, o.Verdict)
	}
}

func (o *Replayed) differs(format string, args ...any) {
	o.Differ = append(o.Differ, fmt.Sprintf(format, args...))
}
