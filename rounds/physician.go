package rounds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// DutyLink asks for a link by which a physician begins a shift.
type DutyLink struct {
	InstitutionID ward.InstitutionID
	Physician     ward.PhysicianID
	Reason        string    // shown on the first page
	Deadline      time.Time // 30 s to 24 h from now; the link itself lives LinkValid
}

// OrderDuty makes a single-use link for one physician. Its verdict opens the
// window only for a live face that matches, inside the institution's fence;
// without a fence, or a face, it is refused at once.
func (e *Engine) OrderDuty(ctx context.Context, by ward.User, o DutyLink) (ward.Round, VisitLink, error) {
	p, err := e.Store.Physician(ctx, o.Physician)
	if err == nil && (p.Left || !slices.Contains(p.Institutions, o.InstitutionID)) {
		err = unknownPhysician()
	}
	if err != nil {
		return ward.Round{}, VisitLink{}, err
	}
	r, links, err := e.orderPhysicians(ctx, by, ward.ForDuty, Order{InstitutionID: o.InstitutionID, Reason: o.Reason, Deadline: o.Deadline},
		[]ward.Visit{{PhysicianID: p.ID}})
	if err != nil {
		return r, VisitLink{}, err
	}
	return r, links[0], nil
}

func unknownPhysician() error {
	return &ward.Error{Kind: ward.NotFound, Code: "physician.unknown", ZH: "没有这位医师，或其未登记在本机构执业，请检查编号。", EN: "No such physician, or not registered to practise here; check the id."}
}

// DutyCheck is a surprise check of physicians on duty.
type DutyCheck struct {
	InstitutionID ward.InstitutionID
	Physicians    []ward.PhysicianID // none: all who are on duty there now
	Reason        string
	Deadline      time.Time
	Notify        []ward.EndpointID // who is told when nobody answered
}

// OrderDutyCheck makes a link for each; who does not answer by the deadline is
// sealed as no answer. It neither opens nor ends a window. Whoever is not on
// duty there now is a ward.Invalid "duty_check.off_duty".
func (e *Engine) OrderDutyCheck(ctx context.Context, by ward.User, o DutyCheck) (ward.Round, []VisitLink, error) {
	on, err := e.Store.OnDuty(ctx, []ward.InstitutionID{o.InstitutionID}, time.Now(), "", 500)
	if err != nil {
		return ward.Round{}, nil, err
	}
	starts := map[ward.PhysicianID]ward.DutyID{}
	var all []ward.PhysicianID
	for _, d := range on {
		starts[d.PhysicianID] = d.ID
		all = append(all, d.PhysicianID)
	}
	if len(o.Physicians) > 0 {
		all = o.Physicians
	}
	var visits []ward.Visit
	for _, id := range all {
		start, ok := starts[id]
		if !ok {
			return ward.Round{}, nil, &ward.Error{Kind: ward.Invalid, Code: "duty_check.off_duty", ZH: "所选医师现在不在本机构在岗，或被重复选择，请刷新后重选。", EN: "A chosen physician is not on duty here now, or was chosen twice; reload and choose again."}
		}
		delete(starts, id)
		visits = append(visits, ward.Visit{PhysicianID: id, DutyID: start})
	}
	if len(visits) == 0 || len(visits) > maxVisits {
		return ward.Round{}, nil, &ward.Error{Kind: ward.Invalid, Code: "duty_check.empty", ZH: "本机构现在没有在岗医师可抽查；一次最多抽查 200 人。", EN: "Nobody is on duty here to check now; at most 200 are checked at once."}
	}
	return e.orderPhysicians(ctx, by, ward.ForDutyCheck, Order{InstitutionID: o.InstitutionID, Reason: o.Reason, Deadline: o.Deadline, Notify: o.Notify}, visits)
}

// orderPhysicians stores and seals the order, when there is something to judge by.
func (e *Engine) orderPhysicians(ctx context.Context, by ward.User, purpose ward.Purpose, o Order, visits []ward.Visit) (ward.Round, []VisitLink, error) {
	e.prepare()
	now := time.Now()
	o.Ward = "-" // of a ward round only
	if err := o.check(by, now); err != nil {
		return ward.Round{}, nil, err
	}
	policy, err := e.Store.DutyPolicyFor(ctx, o.InstitutionID)
	if err != nil {
		return ward.Round{}, nil, err
	}
	if policy.Fence == nil {
		return ward.Round{}, nil, &ward.Error{Kind: ward.Conflict, Code: "duty.no_fence", ZH: "本机构的在岗规则没有围栏，无法核验位置；请先由管理员设置围栏。", EN: "The institution's duty policy has no fence, so no position can be verified; have an administrator set one first."}
	}
	ids := make([]ward.PhysicianID, len(visits))
	for i, v := range visits {
		ids[i] = v.PhysicianID
	}
	who, err := e.Store.PhysiciansOf(ctx, ids)
	if err != nil {
		return ward.Round{}, nil, err
	}
	for _, p := range who {
		if !p.Enrolled {
			return ward.Round{}, nil, &ward.Error{Kind: ward.Conflict, Code: "physician.not_enrolled", ZH: "该医师尚未登记人脸，请先登记照片。", EN: "No face of this physician is enrolled; enrol a photo first.", Err: fmt.Errorf("physician %s", p.ID)}
		}
	}
	r := ward.Round{
		ID: ward.NewID[ward.RoundID](now), InstitutionID: o.InstitutionID, OrderedBy: by.ID, Purpose: purpose,
		Reason: strings.TrimSpace(o.Reason), Ordered: now, Deadline: o.Deadline, Notify: o.Notify,
	}
	return e.issue(ctx, r, visits, func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
		return e.Store.OrderRound(ctx, r, visits, hashes)
	})
}
