package rounds

import (
	"context"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

const (
	codeWait  = 20 * time.Second       // for a code to be held before the camera
	codeEvery = 400 * time.Millisecond // between two pictures that are searched for codes
)

// codeJudge makes a check of the codes that pictures show. The best one
// counts, so that their order does not matter.
type codeJudge interface {
	// see returns true when no other code can say more.
	see(ctx context.Context, text string, at time.Time) (done bool, err error)
	rank() int // rises with what was seen
	check() ward.Check
}

// wardCodes judges the rotating code of the ward's tablet.
type wardCodes struct {
	key  ward.RoomKey
	best ward.CodeResult
}

func (w *wardCodes) see(_ context.Context, text string, at time.Time) (bool, error) {
	if got := w.key.Judge(text, at); rankOf(got) > w.rank() {
		w.best = got
	}
	return w.best == ward.WardCodeMatch, nil
}

func (w *wardCodes) rank() int { return rankOf(w.best) }

func rankOf(r ward.CodeResult) int {
	return slices.Index([]ward.CodeResult{ward.WardCodeOther, ward.WardCodeExpired, ward.WardCodeForged, ward.WardCodeMatch}, r) + 1
}

func (w *wardCodes) check() ward.Check {
	c := ward.Check{Kind: ward.CheckWardCode, Outcome: ward.NotDone, DetailZH: "未看到病区码。", DetailEN: "The ward's code was not seen."}
	switch w.best {
	case ward.WardCodeMatch:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Pass, "摄像头看到了本病区当前的病区码。", "The camera saw this ward's present code."
	case ward.WardCodeExpired:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Fail, "看到的是本病区已过期的病区码（可能为重放）。", "The code is this ward's, but of another time: perhaps a replay."
	case ward.WardCodeOther:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Fail, "看到的是其他病区的病区码。", "The code is another ward's."
	case ward.WardCodeForged:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Fail, "看到的病区码系伪造。", "The ward's code is forged."
	case ward.WardCodeNone:
	}
	return c
}

// What a wristband's code can be, from nothing to the admission's.
const (
	bedUnseen = iota
	bedUnknown
	bedOther
	bedMatch
)

// bedCodes compares the wristband or bed card with the admission's numbers.
// What was read stays in it.
type bedCodes struct {
	// whose says whether a number is the admission's, and whether it is
	// another's of the institution.
	whose func(ctx context.Context, number string) (its, others bool, err error)
	best  int
}

func (b *bedCodes) see(ctx context.Context, text string, _ time.Time) (bool, error) {
	if ward.IsWardCode(text) {
		return false, nil // still in the picture
	}
	b.best = max(b.best, bedUnknown)
	for _, f := range bedNumbers(text) {
		its, others, err := b.whose(ctx, f)
		if err != nil {
			return false, err
		}
		if its {
			b.best = bedMatch
			return true, nil
		}
		if others {
			b.best = max(b.best, bedOther)
		}
	}
	return false, nil
}

func (b *bedCodes) rank() int { return b.best }

func (b *bedCodes) check() ward.Check {
	c := ward.Check{Kind: ward.CheckBed, Outcome: ward.NotDone, DetailZH: "未看到腕带或床头卡的条码。", DetailEN: "No code of a wristband or bed card was seen."}
	switch b.best {
	case bedMatch:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Pass, "腕带或床头卡与本次住院一致。", "The wristband or bed card is this admission's."
	case bedOther:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Fail, "腕带或床头卡属于另一次住院。", "The wristband or bed card is another admission's."
	case bedUnknown:
		c.Outcome, c.DetailZH, c.DetailEN = ward.Unsure, "看到了条码，但不是已知的住院号。", "A code was seen, but it is no admission's number."
	}
	return c
}

// bedNumbers are what a code may mean by an admission's number: its fields,
// where "|", "^", "," or ";" part them; eight at most.
func bedNumbers(text string) []string {
	var out []string
	for _, f := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("|^,;", c) }) {
		if f = strings.TrimSpace(f); f != "" && len(out) < 8 {
			out = append(out, f)
		}
	}
	return out
}

// showCode asks for a code and shows what the pictures read to j until it
// has seen enough or codeWait is over.
func (s *session) showCode(ctx context.Context, p prompt, j codeJudge) error {
	displayed, err := s.tell(ctx, p)
	if err != nil || s.e.ReadCodes == nil {
		return err
	}
	var last time.Time
	var failed error
	err = s.each(ctx, displayed.Add(codeWait), func(l look) bool {
		if len(l.seen.JPEG) == 0 || l.at.Before(displayed) || l.at.Sub(last) < codeEvery {
			return true
		}
		last = l.at
		texts, err := s.e.ReadCodes(ctx, l.seen.JPEG)
		if err != nil && ctx.Err() == nil {
			s.e.Log.WarnContext(ctx, "read codes of a bedside", "visit", s.visit.ID, "error", err)
		}
		before, done := j.rank(), false
		for _, text := range texts {
			if done, failed = j.see(ctx, text, l.at); done || failed != nil {
				break
			}
		}
		if j.rank() > before && failed == nil { // a replay reads this picture again
			failed = s.event(ctx, "code", map[string]any{"check": j.check().Kind, "outcome": j.check().Outcome, "us": l.at.UnixMicro()})
		}
		return !done && failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}
