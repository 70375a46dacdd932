package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// maxAhead is how far a settlement's clock may run before ours.
const maxAhead = storage.MaxOffset + time.Minute

// maxAmountFen is ten million yuan: a larger bill is a wrong unit.
const maxAmountFen = 1_000_000_000

// NewSettlement is one billing event as the billing system reports it.
type NewSettlement struct {
	InstitutionID ward.InstitutionID  `json:"institution_id" maxLength:"64"`
	PlaceID       ward.PlaceID        `json:"place_id" maxLength:"64" doc:"The counter"`
	ExternalNo    string              `json:"external_no" minLength:"1" maxLength:"64" doc:"The billing system's number, unique per institution"`
	InsuredID     ward.InsuredID      `json:"insured_id" maxLength:"64"`
	Kind          ward.SettlementKind `json:"kind"`
	At            time.Time           `json:"at" doc:"When the card was swiped"`
	AmountFen     int64               `json:"amount_fen" doc:"In 分, 1 to 1,000,000,000"`
	Revision      int                 `json:"revision,omitempty" minimum:"0" maximum:"1000000" doc:"Counts the corrections of this number: the highest counts, in whatever order they come"`
	Reversed      bool                `json:"reversed,omitempty" doc:"Billing takes the settlement back; it stays so"`
	// IdentityCheckID is sealed with the settlement's id.
	IdentityCheckID ward.IdentityCheckID `json:"identity_check_id,omitempty" maxLength:"64" doc:"The identity check (POST /identity-checks) that was made before; of the same institution and insured person"`
}

// ListedSettlement is a settlement with the identity checks that billing
// referred to.
type ListedSettlement struct {
	ward.Settlement
	IdentityChecks []ward.IdentityCheck `json:"identity_checks" doc:"The oldest first; empty when billing referred to none"`
}

// SettlementDetail is a settlement with what was said of it before.
type SettlementDetail struct {
	ward.Settlement
	Earlier []ward.SettlementRevision `json:"earlier" doc:"What billing said before it corrected it, the oldest first"`
	Clock   *ClockOffset              `json:"clock,omitempty" doc:"Of the institution's billing system, when it is known"`
	// IdentityChecks are those that billing referred to, the oldest first.
	IdentityChecks []ward.IdentityCheck `json:"identity_checks"`
}

// ClockOffset is how far the cameras' clock is ahead of a billing system's.
type ClockOffset struct {
	InstitutionID ward.InstitutionID `json:"institution_id"`
	OffsetMS      int64              `json:"offset_ms" doc:"What billing says happened at t, the cameras saw at t + offset"`
	SpreadMS      int64              `json:"spread_ms" doc:"Offsets this far from it fit nearly as well"`
	Samples       int                `json:"samples" doc:"Settlements that it rests on"`
	At            time.Time          `json:"at"`
}

type settlementList struct {
	Paging
	InstitutionFilter
	State ward.SettlementState `query:"state"`
}

// SettlementPath names a settlement in the address.
type SettlementPath struct {
	ID ward.SettlementID `path:"id" maxLength:"64"`
}

func (s *Server) settlementRoutes(r *routes) {
	tags := []string{"settlements"}
	add(r, role(ward.MaySettle), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/settlements", OperationID: "addSettlement", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Report, correct (revision) or reverse a settlement; Idempotency-Key is required; 201 when its number is new, else 200",
	}, s.addSettlement)
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/settlements", OperationID: "listSettlements", Summary: "Settlements in scope, newest first", Tags: tags}, s.listSettlements)
	on(r, ward.MayReview, huma.Operation{Method: http.MethodGet, Path: v1 + "/settlements/{id}", OperationID: "getSettlement", Summary: "One settlement, with its earlier revisions", Tags: tags}, s.loadSettlement, s.getSettlement)
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/clock-offsets", OperationID: "listClockOffsets", Summary: "How far the clocks of billing systems are off, where that is known", Tags: tags}, s.listClockOffsets)
}

func (s *Server) addSettlement(ctx context.Context, in *creation[NewSettlement]) (*created[ward.Settlement], error) {
	if err := keyRequired(in.Key); err != nil {
		return nil, err
	}
	return onceStatus(ctx, s, "addSettlement", in.Key, in.RawBody, func() (ward.Settlement, int, error) {
		if err := s.checkSettlement(ctx, in.Body); err != nil {
			return ward.Settlement{}, 0, err
		}
		b := in.Body
		reported := ward.Settlement{
			InstitutionID: b.InstitutionID, PlaceID: b.PlaceID, ExternalNo: b.ExternalNo, InsuredID: b.InsuredID,
			Kind: b.Kind, At: b.At.UTC(), AmountFen: b.AmountFen, Received: s.now().UTC(), Revision: b.Revision,
			IdentityCheck: b.IdentityCheckID,
		}
		if b.Reversed {
			reported.State = ward.Reversed
		}
		v, change, err := s.Store.AddSettlement(ctx, reported)
		if err != nil || change == ward.Unchanged {
			return v, http.StatusOK, err
		}
		s.Hub.Notify(string(SettlementEvent), string(v.ID), v.InstitutionID)
		if change != ward.WasAdded {
			s.Hub.Notify(string(AlertEvent), string(v.ID), v.InstitutionID) // alerts on it may have fallen
			return v, http.StatusOK, nil
		}
		return v, http.StatusCreated, nil
	})
}

// checkSettlement says what is wrong with a report, before it is stored. An
// institution outside the caller's scope is as unknown as one that is not.
func (s *Server) checkSettlement(ctx context.Context, b NewSettlement) error {
	invalid := func(code, zh, en string) error {
		return &ward.Error{Kind: ward.Invalid, Code: "settlement." + code, ZH: zh, EN: en}
	}
	if _, err := s.Store.Institution(ctx, b.InstitutionID); missing(err) || err == nil && !callerOf(ctx).May(ward.MaySettle, b.InstitutionID) {
		return invalid("unknown_institution", "没有这家机构，请检查 institution_id。", "No such institution; check institution_id.")
	} else if err != nil {
		return err
	}
	if p, err := s.Store.Place(ctx, b.PlaceID); missing(err) || err == nil && p.InstitutionID != b.InstitutionID {
		return invalid("unknown_place", "该机构没有这个点位，请检查 place_id。", "The institution has no such place; check place_id.")
	} else if err != nil {
		return err
	}
	if _, err := s.Store.Insured(ctx, b.InsuredID); missing(err) {
		return invalid("unknown_insured", "没有这位参保人，请先登记。", "No such insured person; register the person first.")
	} else if err != nil {
		return err
	}
	switch {
	case b.At.After(s.now().Add(maxAhead)):
		return invalid("future", "结算时间晚于当前时间，请检查收费系统的时钟。", "The settlement lies in the future; check the billing system's clock.")
	case b.At.Year() < 2000:
		return invalid("time", "结算时间有误。", "The settlement's time is wrong.")
	case b.AmountFen < 1 || b.AmountFen > maxAmountFen:
		return invalid("amount", "金额应为 1 至 1,000,000,000 分。", "The amount must be 1 to 1,000,000,000 分.")
	}
	return nil
}

func (s *Server) listSettlements(ctx context.Context, in *settlementList) (*body[Page[ListedSettlement]], error) {
	v, next, err := s.Store.Settlements(ctx, storage.SettlementFilter{
		Institutions: callerOf(ctx).narrow(in.InstitutionID), State: in.State, Before: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	ids := make([]ward.SettlementID, len(v))
	for i := range v {
		ids[i] = v[i].ID
	}
	checks, err := s.Store.IdentityOf(ctx, ids)
	out := make([]ListedSettlement, len(v))
	for i := range v {
		out[i] = ListedSettlement{v[i], list(checks[v[i].ID])}
	}
	return answer(Page[ListedSettlement]{out, next}, err)
}

func (s *Server) loadSettlement(ctx context.Context, in *SettlementPath) (ward.Settlement, ward.InstitutionID, error) {
	v, err := s.Store.Settlement(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) getSettlement(ctx context.Context, _ *SettlementPath, v ward.Settlement) (*body[SettlementDetail], error) {
	out := SettlementDetail{Settlement: v}
	var err error
	if out.Earlier, err = s.Store.SettlementRevisions(ctx, v.ID); err != nil {
		return nil, err
	}
	checks, err := s.Store.IdentityOf(ctx, []ward.SettlementID{v.ID})
	if err != nil {
		return nil, err
	}
	out.IdentityChecks = list(checks[v.ID])
	offsets, err := s.Store.ClockOffsets(ctx, []ward.InstitutionID{v.InstitutionID})
	if len(offsets) == 1 {
		c := clockOffset(offsets[0])
		out.Clock = &c
	}
	return answer(out, err)
}

func (s *Server) listClockOffsets(ctx context.Context, in *InstitutionFilter) (*body[Page[ClockOffset]], error) {
	all, err := s.Store.ClockOffsets(ctx, callerOf(ctx).narrow(in.InstitutionID))
	out := make([]ClockOffset, len(all))
	for i, o := range all {
		out[i] = clockOffset(o)
	}
	return items(out, err)
}

func clockOffset(o ward.ClockOffset) ClockOffset {
	return ClockOffset{InstitutionID: o.InstitutionID, OffsetMS: o.Offset.Milliseconds(), SpreadMS: o.Spread.Milliseconds(), Samples: o.Samples, At: o.At}
}
