package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// TreatmentCount is what was proven of a session.
type TreatmentCount struct {
	Over    bool                 `json:"over"`
	Present int                  `json:"present" doc:"Minutes, begun ones counted"`
	Open    int                  `json:"open" doc:"Minutes that are neither proven nor contradicted"`
	Absent  int                  `json:"absent"`
	Billed  int                  `json:"billed" doc:"Minutes of all bills"`
	Covered ward.Billable        `json:"covered"`
	Reason  ward.TreatmentReason `json:"reason"`
}

// ListedTreatment is a session with what was proven of it by now.
type ListedTreatment struct {
	ward.TreatmentSession

	Count TreatmentCount `json:"count"`
}

// TreatmentDetail is a session with all that happened in it.
type TreatmentDetail struct {
	ListedTreatment

	Spans  []ward.TreatmentSpan  `json:"spans"`
	Calls  []ward.TreatmentCall  `json:"calls" doc:"Those that were due by now"`
	Events []ward.TreatmentEvent `json:"events"`
}

// TreatmentCoverage is the answer whether billed minutes are covered.
type TreatmentCoverage struct {
	TreatmentCount

	Minutes  int    `json:"minutes" doc:"That were asked about, or billed"`
	DetailZH string `json:"detail_zh"`
	DetailEN string `json:"detail_en"`
}

// NewTreatmentBill is what was billed of a session.
type NewTreatmentBill struct {
	ExternalNo string `json:"external_no" minLength:"1" maxLength:"64" doc:"The billing system's number; the newest of a number counts"`
	Minutes    int    `json:"minutes" minimum:"0" maximum:"1440" doc:"0 takes it back"`
}

type (
	treatmentList struct {
		Paging
		InstitutionFilter
	}
	coverageInput struct {
		TreatmentPath
		Minutes int `query:"minutes" required:"true" minimum:"0" maximum:"1440" doc:"Of all bills of the session together"`
	}
	treatmentBillInput struct {
		TreatmentPath
		Body NewTreatmentBill
	}
	treatmentPolicyInput struct{ Body ward.TreatmentPolicy }
)

func (s *Server) treatmentResultRoutes(r *routes) {
	tags := []string{"treatments"}
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/treatments", OperationID: "listTreatments", Summary: "Treatment sessions in scope, newest first", Tags: tags}, s.listTreatments)
	on(r, ward.MayReview, huma.Operation{Method: http.MethodGet, Path: v1 + "/treatments/{id}", OperationID: "getTreatment", Summary: "A session: when the patient was present, and what was billed", Tags: tags}, s.loadTreatment, s.getTreatment)
	on(r, ward.MaySettle, huma.Operation{Method: http.MethodGet, Path: v1 + "/treatments/{id}/coverage", OperationID: "treatmentCoverage", Summary: "Would so many minutes be covered? Nothing is kept", Tags: tags},
		func(ctx context.Context, in *coverageInput) (ward.TreatmentSession, ward.InstitutionID, error) {
			return s.loadTreatment(ctx, &in.TreatmentPath)
		}, s.treatmentCoverage)
	on(r, ward.MaySettle, huma.Operation{Method: http.MethodPost, Path: v1 + "/treatments/{id}/bills", OperationID: "billTreatment", Summary: "Report the minutes that were billed; sealed with whether they are covered. To be repeated when it cannot tell since the session runs", Tags: tags},
		func(ctx context.Context, in *treatmentBillInput) (ward.TreatmentSession, ward.InstitutionID, error) {
			return s.loadTreatment(ctx, &in.TreatmentPath)
		}, s.billTreatment)
	who := everywhere(ward.MayAdminister)
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/treatment-policies", OperationID: "listTreatmentPolicies", Summary: "How often patients are called for, and what is tolerated: the built-in policies first", Tags: tags}, s.listTreatmentPolicies)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/treatment-policies", OperationID: "setTreatmentPolicy", Summary: "Set the policy of a kind of treatment, of an institution or of all: a new version, sealed in the ledger", Tags: tags}, s.setTreatmentPolicy)
}

func (s *Server) countTreatment(v ward.TreatmentSession, events []ward.TreatmentEvent) TreatmentCount {
	now, billed := s.now(), ward.Billed(events)
	m := v.Minutes(events, now)
	_, over := v.Over(now)
	covered, why := v.Covers(events, billed, now)
	return TreatmentCount{over, ward.MinutesOf(m.Present), ward.MinutesOf(m.Open), ward.MinutesOf(m.Absent), billed, covered, why}
}

func (s *Server) listTreatments(ctx context.Context, in *treatmentList) (*body[Page[ListedTreatment]], error) {
	v, err := s.Store.Treatments(ctx, callerOf(ctx).narrow(in.InstitutionID), ward.TreatmentID(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	ids := make([]ward.TreatmentID, len(v))
	for i := range v {
		ids[i] = v[i].ID
	}
	events, err := s.Store.TreatmentEvents(ctx, ids)
	out := make([]ListedTreatment, len(v))
	for i := range v {
		out[i] = ListedTreatment{v[i], s.countTreatment(v[i], events[v[i].ID])}
	}
	return answer(pageAfter(out, in.Limit, func(t ListedTreatment) string { return string(t.ID) }), err)
}

func (s *Server) getTreatment(ctx context.Context, _ *TreatmentPath, v ward.TreatmentSession) (*body[TreatmentDetail], error) {
	all, err := s.Store.TreatmentEvents(ctx, []ward.TreatmentID{v.ID})
	events, now := all[v.ID], s.now()
	return answer(TreatmentDetail{ListedTreatment{v, s.countTreatment(v, events)}, list(v.Spans(events, now)), list(v.Calls(events, now)), list(events)}, err)
}

func (s *Server) treatmentCoverage(ctx context.Context, in *coverageInput, v ward.TreatmentSession) (*body[TreatmentCoverage], error) {
	all, err := s.Store.TreatmentEvents(ctx, []ward.TreatmentID{v.ID})
	if err != nil {
		return nil, err
	}
	c := TreatmentCoverage{TreatmentCount: s.countTreatment(v, all[v.ID]), Minutes: in.Minutes}
	c.Covered, c.Reason = v.Covers(all[v.ID], in.Minutes, s.now())
	c.DetailZH, c.DetailEN = c.Reason.Told()
	return &body[TreatmentCoverage]{c}, nil
}

func (s *Server) billTreatment(ctx context.Context, in *treatmentBillInput, v ward.TreatmentSession) (*body[TreatmentCoverage], error) {
	b, err := s.counter().BillTreatment(ctx, callerOf(ctx).User, v.ID, in.Body.ExternalNo, in.Body.Minutes)
	zh, en := b.Reason.Told()
	return answer(TreatmentCoverage{TreatmentCount{b.Reason != ward.TreatmentRunning, b.Present, b.Open, b.Absent, b.Billed, b.Covered, b.Reason}, b.Minutes, zh, en}, err)
}

func (s *Server) listTreatmentPolicies(ctx context.Context, _ *none) (*body[Page[ward.TreatmentPolicy]], error) {
	set, err := s.Store.TreatmentPolicies(ctx)
	return items(append(ward.DefaultTreatmentPolicies(), set...), err)
}

// setTreatmentPolicy: version is the one of the scope that was read; who and when are the caller's.
func (s *Server) setTreatmentPolicy(ctx context.Context, in *treatmentPolicyInput) (*body[ward.TreatmentPolicy], error) {
	p := in.Body
	p.By = callerOf(ctx).ID
	got, err := s.Store.SetTreatmentPolicy(ctx, p)
	return answer(got, inBody(err))
}
