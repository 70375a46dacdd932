package rounds

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"wardwatch/rounds/drand"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Beacon concludes a draw with its beacon's round as relays publish it, for
// services without a network. It is believed by its signature alone.
func (d *Drawer) Beacon(ctx context.Context, id ward.DrawID, raw []byte) (ward.Draw, error) {
	c, err := d.commitment(ctx, id)
	if err != nil {
		return ward.Draw{}, err
	}
	if c.Source.Drand == nil {
		return ward.Draw{}, &ward.Error{Kind: ward.Conflict, Code: "draw.source", ZH: "该抽取不使用随机信标。", EN: "This draw does not use a beacon."}
	}
	want := c.Source.Drand
	round, sig, err := drand.ParseBeacon(raw)
	if err == nil && round != want.Round {
		err = errors.New("another round")
	}
	if err == nil {
		err = want.Chain.Verify(round, sig)
	}
	if err != nil {
		return ward.Draw{}, &ward.Error{
			Kind: ward.Invalid, Code: "draw.beacon", Err: err,
			ZH: "这不是承诺中指定的那一轮，或签名无效；请从该链的任一中继重新取得。", EN: "This is not the round that was committed to, or its signature is not valid; get it from any relay of that chain.",
		}
	}
	if time.Now().Before(want.Chain.TimeOf(round)) {
		return ward.Draw{}, &ward.Error{Kind: ward.Conflict, Code: "draw.early", ZH: "该轮次按本机时钟尚未发布，请检查服务器时间。", EN: "By this server's clock the round is not out yet; check the clock."}
	}
	return d.conclude(ctx, id, &draw.DrandValue{Signature: hex.EncodeToString(sig)}, nil)
}

// Flip is the contact's answer to a coin flip. Commitment is the hash that
// was shown: the number was given after it. Refuse says why not, without a number.
type Flip struct {
	Commitment string
	Value      string // 64 hex digits
	Refuse     string
}

// Answer takes the contact's number and concludes the draw, or seals the refusal.
func (d *Drawer) Answer(ctx context.Context, by ward.User, id ward.DrawID, f Flip) (ward.Draw, error) {
	o, err := d.Store.Draw(ctx, id)
	if err != nil {
		return o, err
	}
	b, hexErr := hex.DecodeString(f.Value)
	switch {
	case by.Role != ward.Contact || !by.May(ward.MayFlip, o.InstitutionID):
		return o, &ward.Error{Kind: ward.Forbidden, Code: "draw.flip", ZH: "只有该机构的联系人可以作答。", EN: "Only the institution's contact may answer."}
	case o.Source != ward.SourceCoin:
		return o, &ward.Error{Kind: ward.Conflict, Code: "draw.source", ZH: "该抽取不使用掷币。", EN: "This draw has no coin flip."}
	case f.Commitment != o.Commitment:
		return o, &ward.Error{Kind: ward.Conflict, Code: "draw.commitment", ZH: "您看到的承诺与该抽取的不同，请刷新。", EN: "The commitment that you saw is not this draw's; reload."}
	case !time.Now().Before(o.Due):
		return o, late()
	case f.Refuse != "":
		if err := d.endReason(ctx, id, f.Refuse); err != nil {
			return o, err
		}
		return d.end(ctx, id, ward.StepFail, draw.End{Why: draw.ContactRefused, By: by.ID, Reason: f.Refuse})
	case hexErr != nil || len(b) != 32 || strings.ToLower(f.Value) != f.Value:
		return o, &ward.Error{Kind: ward.Invalid, Code: "draw.value", ZH: "随机数须为 64 位小写十六进制。", EN: "The number must be 64 lower-case hex digits."}
	}
	return d.conclude(ctx, id, nil, &draw.CoinValue{By: by.ID, Value: f.Value})
}

// Abandon gives a draw up, with a reason; it stays in the list.
func (d *Drawer) Abandon(ctx context.Context, by ward.User, id ward.DrawID, reason string) (ward.Draw, error) {
	if err := d.endReason(ctx, id, reason); err != nil {
		return ward.Draw{}, err
	}
	return d.end(ctx, id, ward.StepAbandon, draw.End{By: by.ID, Reason: reason})
}

// endReason checks why a draw is refused or given up: strangers read it in the proof.
func (d *Drawer) endReason(ctx context.Context, id ward.DrawID, reason string) error {
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > maxExclusion {
		return reasonMissing()
	}
	return d.nameless(ctx, id, []string{reason})
}

func late() error {
	return &ward.Error{Kind: ward.Gone, Code: "draw.late", ZH: "作答时间已过。", EN: "The time to answer is over."}
}

func reasonMissing() error {
	return &ward.Error{Kind: ward.Invalid, Code: "draw.reason_missing", ZH: "请写明理由（不超过 200 字）。", EN: "Give a reason (at most 200 characters)."}
}

// nameless refuses texts that name one of a draw's candidates.
func (d *Drawer) nameless(ctx context.Context, id ward.DrawID, texts []string) error {
	o, err := d.Store.Draw(ctx, id)
	if err != nil {
		return err
	}
	stays, err := d.Store.Admissions(ctx, []ward.InstitutionID{o.InstitutionID}, "")
	if err != nil {
		return err
	}
	people := make([]ward.InsuredID, len(stays))
	for i, a := range stays {
		people[i] = a.InsuredID
	}
	return noNames(ctx, d.Store, texts, people)
}

// DrawnOrder orders the round of a draw.
type DrawnOrder struct {
	Draw     ward.DrawID
	Reason   string
	Deadline time.Time
	LeftOut  []draw.LeftOut
	Remind   time.Duration
	Notify   []ward.EndpointID
	run      *ward.PlanRun
}

// OrderDrawn orders the round of exactly what was drawn, less what is left out
// with a reason, which is sealed. Only a drawn inspector may order it.
func (e *Engine) OrderDrawn(ctx context.Context, by ward.User, d *Drawer, o DrawnOrder) (ward.Round, []VisitLink, error) {
	e.prepare()
	v, err := d.Store.Draw(ctx, o.Draw)
	if err != nil {
		return ward.Round{}, nil, err
	}
	steps, err := d.Store.DrawSteps(ctx, o.Draw)
	if err != nil {
		return ward.Round{}, nil, err
	}
	if v.State != ward.DrawDrawn || len(steps) < 2 {
		return ward.Round{}, nil, &ward.Error{Kind: ward.Conflict, Code: "draw.state", ZH: "该抽取的当前状态不允许此操作，请刷新。", EN: "The draw's state does not allow this; reload."}
	}
	c, err := committed(o.Draw, steps)
	if err != nil {
		return ward.Round{}, nil, err
	}
	result, err := draw.ReadResult(recordOf(steps[1]))
	if err != nil {
		return ward.Round{}, nil, err
	}
	rec, err := drawnRecord(by, o, result)
	if err != nil {
		return ward.Round{}, nil, err
	}
	texts := make([]string, len(o.LeftOut))
	for i, l := range o.LeftOut {
		texts[i] = l.Reason
	}
	if err := d.nameless(ctx, o.Draw, texts); err != nil {
		return ward.Round{}, nil, err
	}
	order := Order{InstitutionID: v.InstitutionID, Reason: o.Reason, Ward: wardsOf(c), Admissions: rec.Admissions, Deadline: o.Deadline, Method: ward.ByDraw, Remind: o.Remind, Notify: o.Notify, drawn: v.ID, run: o.run}
	return e.order(ctx, by, order, func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
		return d.Store.OrderDrawn(ctx, r, visits, hashes, storage.DrawChange{ID: o.Draw, Kind: ward.StepOrder, Record: func(_ ward.Draw, steps []storage.SealedStep, now time.Time) (any, error) {
			rec.Head, rec.Round = head(o.Draw, steps, ward.StepOrder, now), r.ID
			return rec, nil
		}})
	})
}

// drawnRecord is what the order seals: the result less what is left out.
func drawnRecord(by ward.User, o DrawnOrder, r draw.Result) (draw.Order, error) {
	rec := draw.Order{By: by.ID, Admissions: r.All(), Inspectors: slices.Clone(r.Inspectors), LeftOut: o.LeftOut}
	if rec.LeftOut == nil {
		rec.LeftOut = []draw.LeftOut{}
	}
	for _, l := range o.LeftOut {
		if len([]rune(l.Reason)) > maxExclusion {
			return rec, reasonMissing()
		}
		rec.Admissions = slices.DeleteFunc(rec.Admissions, func(id ward.AdmissionID) bool { return id == l.Admission })
		rec.Inspectors = slices.DeleteFunc(rec.Inspectors, func(id ward.UserID) bool { return id == l.Inspector })
	}
	if !rec.Of(r) {
		return rec, &ward.Error{Kind: ward.Invalid, Code: "draw.left_out", ZH: "不去的床位或稽核员须在抽取结果中，逐一写明理由，且至少各留一个。", EN: "What is left out must be of the result, each with a reason, and at least one bed and one inspector must remain."}
	}
	if !slices.Contains(rec.Inspectors, by.ID) {
		return rec, &ward.Error{Kind: ward.Forbidden, Code: "draw.inspector", ZH: "只有抽中的稽核员可以发起本次查房。", EN: "Only an inspector who was drawn may order this round."}
	}
	return rec, nil
}

// wardsOf names the wards that were drawn from; empty for the whole institution.
func wardsOf(c draw.Commitment) string {
	names := make([]string, len(c.Strata))
	for i, s := range c.Strata {
		names[i] = s.Ward
	}
	return strings.Join(names, "、")
}
