package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// The fields of a draw's steps that rows repeat.
type drawStepRecord struct {
	Draw ward.DrawID       `json:"draw"`
	Seq  int64             `json:"seq"`
	Step ward.DrawStepKind `json:"step"`
	Prev string            `json:"prev"`
	At   time.Time         `json:"at"`
}

type drawCommitRecord struct {
	Institution ward.InstitutionID `json:"institution"`
	Day         string             `json:"day"`
	Number      int                `json:"number"`
	By          ward.UserID        `json:"by"`
	Source      struct {
		Kind ward.DrawSource `json:"kind"`
	} `json:"source"`
	Previous struct {
		Draw ward.DrawID `json:"draw"`
	} `json:"previous"`
}

// drawDueRecord is what a commitment says of when its seed is due.
type drawDueRecord struct {
	Source struct {
		Drand *struct {
			Chain struct {
				Period  int64 `json:"period"` // seconds
				Genesis int64 `json:"genesis"`
			} `json:"chain"`
			Round int64 `json:"round"`
		} `json:"drand"`
		Coin *struct {
			Until time.Time `json:"until"`
		} `json:"coin"`
	} `json:"source"`
}

// due is when the round comes out, or until when the coin may be answered.
func (r drawDueRecord) due() time.Time {
	if d := r.Source.Drand; d != nil {
		return time.Unix(d.Chain.Genesis+(d.Round-1)*d.Chain.Period, 0)
	}
	if c := r.Source.Coin; c != nil {
		return at(us(c.Until))
	}
	return time.Time{}
}

// drawRows compares every draw with its sealed steps: that they follow each
// other without a hole, that the row says what they lead to, and that each
// institution's draws of a day count from 1.
func (f *fsck) drawRows(ctx context.Context) error {
	id := func(d ward.Draw) string { return string(d.ID) }
	return each(ctx, f, "list draws", drawColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanDraw, id, func(d ward.Draw) error {
		if err := f.drawSteps(ctx, d); err != nil {
			return err
		}
		rec := drawCommitRecord{Institution: d.InstitutionID, Day: d.Day, Number: d.Number, By: d.By}
		rec.Source.Kind, rec.Previous.Draw = d.Source, d.Previous
		if err := f.agree(ctx, "draw", string(d.ID), KindDraw, string(d.ID)+"/1", d.Leaf, rec); err != nil || d.Number == 1 {
			return err
		}
		before, err := f.s.Draw(ctx, d.Previous)
		if ward.KindOf(err) == ward.NotFound {
			before, err = ward.Draw{}, nil
		}
		if err == nil && (before.InstitutionID != d.InstitutionID || before.Day != d.Day || before.Number != d.Number-1) {
			f.bad("draw/"+string(d.ID), "当日的上一次抽取缺失。", "The draw before it that day is missing")
		}
		return err
	})
}

func (f *fsck) drawSteps(ctx context.Context, d ward.Draw) error {
	steps, err := f.s.DrawSteps(ctx, d.ID)
	if err != nil {
		return err
	}
	now, err := f.s.Draw(ctx, d.ID)
	if err != nil || now.State != d.State {
		return err // it moved meanwhile: left to the next run
	}
	where, state, prev, round := "draw/"+string(d.ID), ward.DrawState(""), "", ward.RoundID("")
	for i, s := range steps {
		var was struct {
			drawStepRecord
			drawDueRecord
			Round ward.RoundID `json:"round"`
		}
		if s.Into(&was) != nil || s.Seq != int64(i)+1 || s.Ref != fmt.Sprintf("%s/%d", d.ID, s.Seq) || was.Prev != prev || !s.DrawStep.Kind.Follows(state) {
			f.bad(where, "抽取步骤不连续。", "Its steps do not follow each other")
			return nil //nolint:nilerr // it is reported
		}
		rec := drawStepRecord{d.ID, s.Seq, s.DrawStep.Kind, prev, s.At}
		if at(us(was.At)).Equal(s.At) {
			rec.At = was.At // sealed with more digits than a row holds
		}
		if err := f.agree(ctx, "draw_step", s.Ref, KindDraw, s.Ref, s.DrawStep.Leaf, rec); err != nil {
			return err
		}
		if i == 0 && (hexOf(s.Sum()) != d.Commitment || s.DrawStep.Leaf != d.Leaf || !s.At.Equal(d.Committed)) {
			f.bad(where, "承诺与封存的不同。", "Its commitment is not the sealed one")
		}
		if i == 0 && !was.due().Equal(d.Due) {
			f.bad(where, "到期时间与封存的不同。", "It is due at another moment than was sealed")
		}
		prev, state = hexOf(s.Sum()), s.DrawStep.Kind.After()
		if was.Round != "" {
			round = was.Round
		}
	}
	if state != d.State || round != d.RoundID {
		f.bad(where, "抽取状态与封存的步骤不符。", "Its state is not the one that its sealed steps lead to")
	}
	return nil
}
