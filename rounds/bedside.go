package rounds

import (
	"context"
	"errors"
	"time"

	"wardwatch/ward"
)

// Notice is what the person at the bedside reads before agreeing.
type Notice struct {
	Purpose     ward.Purpose `json:"purpose"`
	Institution string       `json:"institution"`
	Ward        string       `json:"ward"`
	Bed         string       `json:"bed"`
	NameMasked  string       `json:"name_masked"`
	AskedBy     string       `json:"asked_by"`
	Reason      string       `json:"reason"`
	Recorded    bool         `json:"recorded"`
	KeptDays    int          `json:"kept_days"`
	Position    bool         `json:"position" doc:"The device is asked for its position, which may be refused"`
	Codes       bool         `json:"codes" doc:"The ward's code or the wristband is to be filmed"`
	Network     bool         `json:"network" doc:"The device's address is compared with the institution's networks"`
	// Authority is absent where the operator has not named it.
	Authority *Authority `json:"authority,omitempty"`
	LegalZH   string     `json:"legal_zh"`
	LegalEN   string     `json:"legal_en"`
}

// Open uses a link up and binds it to the caller's device. The returned
// secret is the device's only credential. Errors: "bedside.link_unknown",
// "bedside.link_used", "bedside.link_expired".
func (e *Engine) Open(ctx context.Context, token string) (device string, n Notice, deadline time.Time, err error) {
	e.prepare()
	device, hash := secret()
	v, err := e.Store.OpenVisit(ctx, hashOf(token), hash, time.Now())
	if err != nil {
		return "", n, deadline, err
	}
	n, deadline, err = e.opened(ctx, v)
	return device, n, deadline, err
}

// OpenOn opens a visit on a registered tablet that rings for it, without a
// link. Errors: "visit.opened".
func (e *Engine) OpenOn(ctx context.Context, t ward.Tablet, id ward.VisitID) (device string, n Notice, deadline time.Time, err error) {
	e.prepare()
	device, hash := secret()
	v, err := e.Store.OpenVisitOn(ctx, id, t, hash, time.Now())
	if err != nil {
		return "", n, deadline, err
	}
	n, deadline, err = e.opened(ctx, v)
	return device, n, deadline, err
}

// opened is what the device that opened v reads, and tells the console.
func (e *Engine) opened(ctx context.Context, v ward.Visit) (n Notice, deadline time.Time, err error) {
	r, err := e.Store.Round(ctx, v.RoundID)
	if err != nil {
		return n, deadline, err
	}
	inst, err := e.Store.Institution(ctx, v.InstitutionID)
	if err != nil {
		return n, deadline, err
	}
	site, err := siteOf(ctx, e.Store, v)
	if err != nil {
		return n, deadline, err
	}
	n = Notice{
		Purpose:  v.Purpose,
		Position: site.Fence != nil, Codes: site.WardCode || site.BedCode, Network: len(site.Networks) > 0,
		Institution: inst.Name, Ward: v.Ward, Bed: v.Bed, Reason: r.Reason, Recorded: true, KeptDays: e.KeptDays,
		Authority: e.Authority, LegalZH: e.Legal.ZH, LegalEN: e.Legal.EN,
	}
	if p, err := subject(ctx, e.Store, v); err == nil {
		n.NameMasked = p.Masked().Name
	} else if ward.KindOf(err) != ward.NotFound {
		return n, deadline, err
	}
	if u, err := e.Store.User(ctx, r.OrderedBy); err == nil {
		n.AskedBy = u.Name
	} else if ward.KindOf(err) != ward.NotFound {
		return n, deadline, err
	}
	e.notify(v)
	return n, r.Deadline, nil
}

// Consent records the answer to the notice; a refusal seals the visit.
func (e *Engine) Consent(ctx context.Context, device string, agree bool) error {
	e.prepare()
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return err
	}
	if agree {
		if v, err = e.Store.Consent(ctx, v.ID, time.Now()); err == nil {
			e.notify(v)
		}
		return err
	}
	if v.State != ward.VisitOpened && v.State != ward.VisitConsented {
		return notNow()
	}
	if _, live := e.session(v.ID); live {
		return notNow()
	}
	if err := e.Store.AddVisitEvent(ctx, v.ID, "consent", time.Now(), map[string]any{"agree": false}); err != nil {
		return err
	}
	v.Verdict, v.ReasonZH, v.ReasonEN = ward.Refused, "患者或陪护拒绝了本次查访。", "The patient or a carer declined the visit."
	if v.Purpose.OfPhysician() {
		v.ReasonZH, v.ReasonEN = "医师拒绝了本次核验。", "The physician declined the check."
	}
	return e.seal(ctx, v, nil)
}

func notNow() error {
	return &ward.Error{Kind: ward.Conflict, Code: "visit.state", ZH: "查访当前状态不允许此操作，请刷新后重试。", EN: "The visit's state does not allow this; reload and try again."}
}

// Session answers the bedside's WebRTC offer and begins the visit, or goes on
// with one that is being checked: see redial.
func (e *Engine) Session(ctx context.Context, device, offer string) (answer string, err error) {
	e.prepare()
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return "", err
	}
	switch v.State {
	case ward.VisitOpened:
		return "", &ward.Error{Kind: ward.Conflict, Code: "bedside.no_consent", ZH: "请先阅读告知并选择同意。", EN: "Read the notice and agree first."}
	case ward.VisitConsented:
	case ward.VisitChecking, ward.VisitDeciding:
		s, live := e.session(v.ID)
		if !live {
			return "", notNow()
		}
		return s.redial(ctx, offer)
	case ward.VisitOrdered, ward.VisitSealed:
		return "", notNow()
	}
	r, err := e.Store.Round(ctx, v.RoundID)
	if err != nil {
		return "", err
	}
	inTime, err := e.inTime(ctx, v, r.Deadline, time.Now())
	if err != nil {
		return "", err
	}
	if !inTime {
		return "", overdue()
	}
	policy, err := e.Store.CheckPolicyFor(ctx, policyPurpose(v), v.InstitutionID, v.Ward)
	if err != nil {
		return "", err
	}
	if before, ok := e.session(v.ID); ok { // its media never came: the page was loaded again
		if !before.giveWay() {
			return before.redial(ctx, offer)
		}
		select {
		case <-before.over:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		e.firstAgain(v.ID)
	}
	nonce, err := e.Store.VisitNonce(ctx, v.ID)
	if err != nil {
		return "", err
	}
	s := newSession(e, v, policy)
	s.lots = newLots(nonce)
	first, err := e.hold(s)
	if err != nil {
		if first {
			err = errors.Join(err, e.stand(ctx, v))
		}
		return "", err
	}
	if answer, err = s.connect(ctx, offer); err != nil {
		s.abandon()
		return "", err
	}
	select {
	case e.begin <- s:
		return answer, nil
	case <-e.done:
	case <-ctx.Done():
	}
	s.abandon()
	return "", &ward.Error{Kind: ward.Unavailable, Code: "rounds.stopping", ZH: "系统正在重启，请稍后再试。", EN: "The service is restarting; try again in a minute."}
}

// Leave ends the device's session, if one runs.
func (e *Engine) Leave(ctx context.Context, device string) error {
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return err
	}
	if s, ok := e.session(v.ID); ok {
		s.end(errLeft)
	}
	return nil
}

// Away notes that the device's page is being closed or loaded again. The
// visit goes on when the device is back within Resume.
func (e *Engine) Away(ctx context.Context, device string) error {
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return err
	}
	if s, ok := e.session(v.ID); ok {
		s.tells(awayClosed)
	}
	return nil
}
