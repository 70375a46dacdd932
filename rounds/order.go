package rounds

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

const (
	maxVisits   = 200 // beds in one round
	maxReason   = 500 // characters, shown at the bedside
	maxDecision = 1000
	minDeadline = 30 * time.Second
	maxDeadline = 24 * time.Hour
)

// Order is an inspector's command. No Admissions means every current stay
// of the Ward.
type Order struct {
	InstitutionID ward.InstitutionID
	Reason        string
	Ward          string
	Admissions    []ward.AdmissionID
	Deadline      time.Time
	Method        ward.RoundMethod  // by hand, or by risk: then the scores are sealed with it
	Remind        time.Duration     // before the deadline; 0: no reminder
	Notify        []ward.EndpointID // who is reminded, and told when nobody answered
	purpose       ward.Purpose      // none: ward.ForVisit
	drawn         ward.DrawID
	run           *ward.PlanRun // that the order ends
}

// VisitLink is a visit and the token of its bedside link. The token exists
// nowhere else: only its hash is stored.
type VisitLink struct {
	Visit ward.Visit
	Token string
}

// secret returns 128 random bits as text, and the hash that is stored.
func secret() (string, []byte) {
	var b [16]byte
	_, _ = rand.Read(b[:])
	s := base64.RawURLEncoding.EncodeToString(b[:])
	return s, hashOf(s)
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// Order stores and seals a round and returns a single-use link per bed.
func (e *Engine) Order(ctx context.Context, by ward.User, o Order) (ward.Round, []VisitLink, error) {
	e.prepare()
	if o.Method == ward.ByDraw {
		return ward.Round{}, nil, &ward.Error{Kind: ward.Invalid, Code: "round.method", ZH: "抽取的查房须从抽取结果发起。", EN: "The round of a draw is ordered from its result."}
	}
	return e.order(ctx, by, o, func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
		return e.Store.OrderRound(ctx, r, visits, hashes)
	})
}

// order makes the round and its links, and stores it.
func (e *Engine) order(ctx context.Context, by ward.User, o Order, store func(ward.Round, []ward.Visit, [][]byte) (ward.Round, error)) (ward.Round, []VisitLink, error) {
	now := time.Now()
	if err := o.check(by, now); err != nil {
		return ward.Round{}, nil, err
	}
	beds, err := e.beds(ctx, o, now)
	if err != nil {
		return ward.Round{}, nil, err
	}
	r := ward.Round{
		ID: ward.NewID[ward.RoundID](now), InstitutionID: o.InstitutionID, OrderedBy: by.ID, Purpose: o.purpose,
		Reason: o.Reason, Ward: o.Ward, Ordered: now, Deadline: o.Deadline, Method: o.Method, DrawID: o.drawn,
	}
	r.Notify = o.Notify
	if o.Remind > 0 {
		r.Remind = o.Deadline.Add(-o.Remind)
	}
	if o.run != nil {
		run := *o.run
		run.RoundID, run.Outcome = r.ID, ward.PlanStarted
		r.Run, r.PlanID, r.Due = &run, run.PlanID, run.Due
	}
	if o.Method == ward.ByRisk {
		if err := e.score(ctx, by, &r, now); err != nil {
			return ward.Round{}, nil, err
		}
	}
	visits := make([]ward.Visit, len(beds))
	for i, a := range beds {
		visits[i] = ward.Visit{AdmissionID: a.ID, InsuredID: a.InsuredID, Ward: a.Ward, Bed: a.Bed}
	}
	return e.issue(ctx, r, visits, store)
}

// issue stores a round and its visits, and makes their links.
func (e *Engine) issue(ctx context.Context, r ward.Round, visits []ward.Visit, store func(ward.Round, []ward.Visit, [][]byte) (ward.Round, error)) (ward.Round, []VisitLink, error) {
	links := make([]VisitLink, len(visits))
	hashes := make([][]byte, len(visits))
	for i := range visits {
		v := &visits[i]
		v.ID, v.RoundID, v.InstitutionID = ward.NewID[ward.VisitID](r.Ordered), r.ID, r.InstitutionID
		v.State, v.LinkExpires, v.Leaf = ward.VisitOrdered, e.expires(r.Ordered, r.Deadline), -1
		links[i].Token, hashes[i] = secret()
	}
	r, err := store(r, visits, hashes)
	if err != nil {
		return ward.Round{}, nil, err
	}
	for i, v := range visits {
		links[i].Visit = v
		e.notify(v)
	}
	e.Log.InfoContext(ctx, "round ordered", "round", r.ID, "institution", r.InstitutionID, "visits", len(visits), "purpose", r.Purpose, "method", r.Method)
	return r, links, nil
}

// score notes the risks that the beds of a round are ranked by.
func (e *Engine) score(ctx context.Context, by ward.User, r *ward.Round, now time.Time) error {
	scope := append([]ward.InstitutionID{}, by.Institutions...)
	if by.AllInstitutions {
		scope = nil
	}
	facts, err := e.Store.RiskFacts(ctx, r.InstitutionID, scope, now)
	if err != nil {
		return err
	}
	r.RiskVersion, r.Scores = ward.RiskVersion, map[ward.AdmissionID]int{}
	for id, f := range facts {
		r.Scores[id] = ward.RiskOf(f).Score
	}
	return nil
}

func (e *Engine) expires(now, deadline time.Time) time.Time {
	if t := now.Add(e.LinkValid); t.Before(deadline) {
		return t
	}
	return deadline
}

func (o Order) check(by ward.User, now time.Time) error {
	switch {
	case !by.May(ward.MayRound, o.InstitutionID):
		return &ward.Error{Kind: ward.Forbidden, Code: "round.forbidden", ZH: "您无权对该机构发起查房。", EN: "You may not order a round at this institution."}
	case strings.TrimSpace(o.Reason) == "" || len([]rune(o.Reason)) > maxReason:
		return &ward.Error{Kind: ward.Invalid, Code: "round.reason", ZH: "请填写查房事由（不超过 500 字）。", EN: "Give the reason of the round (at most 500 characters)."}
	case o.Deadline.Before(now.Add(minDeadline)) || o.Deadline.After(now.Add(maxDeadline)):
		return &ward.Error{Kind: ward.Invalid, Code: "round.deadline", ZH: "截止时间须在 30 秒之后、24 小时之内。", EN: "The deadline must be between 30 seconds and 24 hours from now."}
	case o.Remind < 0 || len(o.Notify) > 16 || o.Remind > 0 && !o.Deadline.Add(-o.Remind).After(now):
		return &ward.Error{Kind: ward.Invalid, Code: "round.remind", ZH: "提醒时间须在现在与截止时间之间，通知对象不超过 16 个。", EN: "The reminder must come between now and the deadline, and go to at most 16."}
	case o.Method == ward.ByRisk && len(o.Admissions) == 0, len(o.Admissions) == 0 && o.Ward == "":
		return &ward.Error{Kind: ward.Invalid, Code: "round.empty", ZH: "请选择病区或床位。", EN: "Choose a ward or beds."}
	}
	return nil
}

// beds are the stays to visit.
func (e *Engine) beds(ctx context.Context, o Order, now time.Time) ([]ward.Admission, error) {
	stays, err := e.Store.Admissions(ctx, []ward.InstitutionID{o.InstitutionID}, "")
	if err != nil {
		return nil, err
	}
	current := map[ward.AdmissionID]ward.Admission{}
	var beds []ward.Admission
	for _, a := range stays {
		if a.To.IsZero() || a.To.After(now) {
			current[a.ID] = a
			if len(o.Admissions) == 0 && a.Ward == o.Ward {
				beds = append(beds, a)
			}
		}
	}
	for _, id := range o.Admissions {
		a, ok := current[id]
		if !ok {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "round.admission", ZH: "所选住院登记不属于该机构、已出院或被重复选择。", EN: "A chosen admission is not of this institution, has ended, or was chosen twice.", Err: fmt.Errorf("admission %s", id)}
		}
		delete(current, id)
		beds = append(beds, a)
	}
	if len(beds) == 0 || len(beds) > maxVisits {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "round.beds", ZH: "一次查房须包含 1 至 200 张床位。", EN: "A round holds 1 to 200 beds."}
	}
	return beds, nil
}

// Reissue replaces the link of a visit that nobody has opened.
func (e *Engine) Reissue(ctx context.Context, id ward.VisitID) (VisitLink, error) {
	e.prepare()
	v, err := e.Store.Visit(ctx, id)
	if err != nil {
		return VisitLink{}, err
	}
	r, err := e.Store.Round(ctx, v.RoundID)
	if err != nil {
		return VisitLink{}, err
	}
	now := time.Now()
	if !r.Deadline.After(now) {
		return VisitLink{}, overdue()
	}
	token, hash := secret()
	if v, err = e.Store.ReissueLink(ctx, id, hash, e.expires(now, r.Deadline)); err != nil {
		return VisitLink{}, err
	}
	e.notify(v)
	return VisitLink{v, token}, nil
}

func overdue() error {
	return &ward.Error{Kind: ward.Gone, Code: "round.overdue", ZH: "查房截止时间已过，请联系稽核员。", EN: "The round's deadline has passed; contact the inspector."}
}
