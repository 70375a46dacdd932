package rounds

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the pictures that a proposal may have
	_ "image/png"
	"strings"
	"time"
	"unicode/utf8"

	"wardwatch/ward"
)

const (
	maxProofSide = 8192 // pixels
	maxAnswer    = 1000 // characters
)

// Proposal is a verdict that one person proposes over a visit, with what
// supports it.
type Proposal struct {
	Circumstance ward.Circumstance
	Verdict      ward.Verdict
	Reason       string
	People       []string // named at the bedside
	Pictures     [][]byte // JPEG or PNG
}

// Propose stores a proposal that another person is to confirm. It does not
// end what runs.
func (e *Engine) Propose(ctx context.Context, id ward.VisitID, by ward.User, p Proposal) (ward.Ruling, error) {
	e.prepare()
	v, err := e.Store.Visit(ctx, id)
	if err != nil {
		return ward.Ruling{}, err
	}
	if !by.May(ward.MayRound, v.InstitutionID) {
		return ward.Ruling{}, mayNotRule()
	}
	now := time.Now()
	r := ward.Ruling{ID: ward.NewID[ward.RulingID](now), VisitID: v.ID, Circumstance: p.Circumstance, Verdict: p.Verdict, Reason: strings.TrimSpace(p.Reason), People: []string{}, ProposedBy: by.ID}
	for _, name := range p.People {
		r.People = append(r.People, strings.TrimSpace(name))
	}
	for i, b := range p.Pictures {
		kind, err := pictureKind(b)
		if err != nil {
			return r, err
		}
		sum := sha256.Sum256(b)
		r.Proofs = append(r.Proofs, ward.RulingProof{SHA256: hex.EncodeToString(sum[:]), MediaType: kind, Key: fmt.Sprintf("v1/%s/%s/ruling-%s-%d", v.InstitutionID, v.ID, r.ID, i+1)})
	}
	if err = r.Check(); err != nil {
		return r, err
	}
	policy, err := e.Store.CheckPolicyFor(ctx, policyPurpose(v), v.InstitutionID, v.Ward)
	if err != nil {
		return r, err
	}
	r.Due = now.Add(policy.DecideWithin())
	if v.State == ward.VisitDeciding && !v.DecideBy.IsZero() {
		r.Due = v.DecideBy
	}
	for i, b := range p.Pictures {
		if err := e.Objects.Put(ctx, r.Proofs[i].Key, bytes.NewReader(b), int64(len(b))); err != nil {
			return r, errors.Join(err, e.forgetProofs(ctx, r, i))
		}
	}
	stored, err := e.Store.ProposeRuling(ctx, r)
	if ward.KindOf(err) != "" { // refused, so that no row names the pictures
		return r, errors.Join(err, e.forgetProofs(ctx, r, len(r.Proofs)))
	}
	if err != nil {
		return r, err
	}
	e.Log.InfoContext(ctx, "ruling proposed", "ruling", r.ID, "visit", v.ID, "circumstance", r.Circumstance, "verdict", r.Verdict, "user", by.ID)
	e.notify(v)
	return stored, nil
}

// forgetProofs deletes the first n pictures of a proposal that came to nothing.
func (e *Engine) forgetProofs(ctx context.Context, r ward.Ruling, n int) error {
	var errs []error
	for _, p := range r.Proofs[:n] {
		errs = append(errs, e.Objects.Delete(context.WithoutCancel(ctx), p.Key))
	}
	return errors.Join(errs...)
}

// pictureKind is the media type of a picture that a proposal may have.
func pictureKind(b []byte) (string, error) {
	c, kind, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || len(b) > ward.MaxProof || c.Width > maxProofSide || c.Height > maxProofSide || c.Width < 1 || c.Height < 1 {
		return "", &ward.Error{
			Kind: ward.Invalid, Code: "ruling.picture", ZH: fmt.Sprintf("佐证照片须为不超过 %d MB 的 JPEG 或 PNG。", ward.MaxProof>>20),
			EN: fmt.Sprintf("A picture must be a JPEG or PNG of at most %d MB.", ward.MaxProof>>20), Err: err,
		}
	}
	return "image/" + kind, nil
}

// Answer is another person's answer to a proposal over a visit. Agreed, it
// is the visit's verdict; a call that is still open over it ends.
func (e *Engine) Answer(ctx context.Context, visit ward.VisitID, id ward.RulingID, by ward.User, agree bool, reason string) (ward.Ruling, error) {
	r, err := e.Store.Ruling(ctx, id)
	if err != nil {
		return r, err
	}
	if r.VisitID != visit {
		return r, &ward.Error{Kind: ward.NotFound, Code: "ruling.unknown", ZH: "没有这项提议，请检查编号。", EN: "No such ruling; check its id."}
	}
	reason = strings.TrimSpace(reason)
	switch {
	case !by.May(ward.MayRound, r.InstitutionID):
		return r, mayNotRule()
	case utf8.RuneCountInString(reason) > maxAnswer || !agree && reason == "":
		return r, &ward.Error{Kind: ward.Invalid, Code: "ruling.reason", ZH: "不同意须填写理由（不超过 1000 字）。", EN: "Give the reason of a refusal (at most 1000 characters)."}
	}
	if err = r.MayAnswer(by.ID, agree, time.Now()); err != nil {
		return r, err
	}
	if agree {
		v, err := e.Store.Visit(ctx, visit)
		if err != nil {
			return r, err
		}
		if err = e.hangUpFor(ctx, v); err != nil {
			return r, err
		}
	}
	r, v, err := e.Store.AnswerRuling(ctx, id, by, agree, reason)
	if err != nil {
		return r, err
	}
	e.Log.InfoContext(ctx, "ruling answered", "ruling", r.ID, "visit", v.ID, "state", r.State, "verdict", r.Verdict, "user", by.ID)
	e.forgetPhoto(ctx, v)
	e.notify(v)
	return r, nil
}

// hangUpFor ends the call that an undecided visit keeps open, so that its
// recording is committed before the seal lists it; refused while checks run.
func (e *Engine) hangUpFor(ctx context.Context, v ward.Visit) error {
	s, live := e.session(v.ID)
	if !live {
		return nil
	}
	if v.State != ward.VisitDeciding {
		return &ward.Error{Kind: ward.Conflict, Code: "visit.live", ZH: "查访正在进行，请等待检测结束。", EN: "The visit is running; wait for its checks to end."}
	}
	s.end(errDecided)
	select {
	case <-s.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lapse closes what nobody decided in time: proposals, and visits that no
// human decided. An open call goes on, and its visit waits for its end.
func (e *Engine) lapse(ctx context.Context, now time.Time) error {
	gone, err := e.Store.LapseRulings(ctx, now)
	for _, r := range gone {
		e.notify(ward.Visit{ID: r.VisitID, InstitutionID: r.InstitutionID})
	}
	if err != nil {
		return err
	}
	late, err := e.Store.UndecidedVisits(ctx, now)
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range late {
		if _, live := e.session(v.ID); live {
			continue
		}
		v.Verdict, v.ReasonZH, v.ReasonEN = ward.Unable, "检测未能得出结论，且截止时间前无人判定。", "The checks left it open, and nobody decided by the deadline."
		errs = append(errs, e.sealAsRead(ctx, v))
	}
	return errors.Join(errs...)
}

func mayNotRule() error {
	return &ward.Error{Kind: ward.Forbidden, Code: "visit.forbidden", ZH: "您无权对该查访作出结论。", EN: "You may not decide this visit."}
}
