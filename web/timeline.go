package web

import (
	"context"
	"time"

	"wardwatch/ward"
)

const (
	// maxTimeline is the longest stretch that one timeline or playlist shows.
	maxTimeline = 7 * 24 * time.Hour
	// maxMarks bounds each kind of mark: more than a screen has pixels.
	maxMarks = 5000
)

// Timeline says what was recorded of a camera and what was not, and what
// happened meanwhile. Sightings, settlements and alerts are there for those
// who may review.
type Timeline struct {
	Segments    []ward.Segment        `json:"segments"`
	Live        []ward.Segment        `json:"live" doc:"What is being recorded and has no row yet: id and state are empty"`
	Gaps        []ward.Gap            `json:"gaps"`
	FilledS     float64               `json:"filled_s" doc:"Seconds of gap_s that the device gave afterwards"`
	Overlaps    []TimeRange           `json:"overlaps" doc:"Times that were recorded more than once, because the server's clock was set back. They play one after the other, what was recorded first first; a single moment means the last of them"`
	RecordedS   float64               `json:"recorded_s" doc:"Seconds of [from, to) that were recorded"`
	GapS        float64               `json:"gap_s" doc:"Seconds of [from, to) that have a gap"`
	Sightings   []SightingMark        `json:"sightings" doc:"Of this camera; empty without the permission review"`
	Settlements []SettlementMark      `json:"settlements" doc:"At the camera's place; empty without the permission review"`
	Alerts      []AlertMark           `json:"alerts" doc:"At the camera's place; empty without the permission review"`
	Events      []ward.RecordingEvent `json:"events"`
	Cut         bool                  `json:"cut" doc:"There are more than 5000 of a kind, and the later ones are left out"`
}

// TimeRange is a stretch of time.
type TimeRange struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// SightingMark is a sighting on a time line.
type SightingMark struct {
	ID    ward.SightingID   `json:"id"`
	Kind  ward.SightingKind `json:"kind"`
	From  time.Time         `json:"from"`
	To    time.Time         `json:"to"`
	Count int               `json:"count"`
}

// SettlementMark is a settlement on a time line.
type SettlementMark struct {
	ID        ward.SettlementID    `json:"id"`
	Kind      ward.SettlementKind  `json:"kind"`
	State     ward.SettlementState `json:"state"`
	At        time.Time            `json:"at"`
	AmountFen int64                `json:"amount_fen"`
}

// AlertMark is an alert on a time line.
type AlertMark struct {
	ID           ward.AlertID      `json:"id"`
	Kind         ward.Rule         `json:"kind" doc:"The rule"`
	State        ward.AlertState   `json:"state"`
	Severity     ward.Severity     `json:"severity"`
	At           time.Time         `json:"at"`
	SettlementID ward.SettlementID `json:"settlement_id"`
}

func (s *Server) timeline(ctx context.Context, in *stretch, c ward.Camera) (*body[Timeline], error) {
	if err := in.check(maxTimeline); err != nil {
		return nil, err
	}
	if s.Library == nil {
		return nil, libraryMissing()
	}
	tl, err := s.Library.Timeline(ctx, c.InstitutionID, sourceOf(c), in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := Timeline{
		Segments: list(tl.Segments), Live: list(tl.Live), Gaps: list(tl.Gaps), RecordedS: tl.Recorded.Seconds(), GapS: tl.Gap.Seconds(), FilledS: tl.Filled.Seconds(),
		Overlaps: make([]TimeRange, len(tl.Overlaps)), Sightings: []SightingMark{}, Settlements: []SettlementMark{}, Alerts: []AlertMark{},
	}
	for i, o := range tl.Overlaps {
		out.Overlaps[i] = TimeRange{o.From, o.To}
	}
	events, err := s.Store.RecordingEvents(ctx, sourceOf(c), in.From, in.To)
	if err != nil {
		return nil, err
	}
	out.Events = marks(events, &out.Cut, func(e ward.RecordingEvent) (ward.RecordingEvent, bool) { return e, e.InstitutionID == c.InstitutionID })
	if callerOf(ctx).May(ward.MayReview, c.InstitutionID) {
		err = s.mark(ctx, in, c, &out)
	}
	return answer(out, err)
}

// mark adds what is known of the camera's place: not what another
// institution did there before.
func (s *Server) mark(ctx context.Context, in *stretch, c ward.Camera, out *Timeline) error {
	seen, err := s.Store.SightingsOf(ctx, c.PlaceID, c.ID, in.From, in.To, maxMarks+1)
	if err != nil {
		return err
	}
	out.Sightings = marks(seen, &out.Cut, func(v ward.Sighting) (SightingMark, bool) {
		return SightingMark{v.ID, v.Kind, v.From, v.To, v.Count}, v.InstitutionID == c.InstitutionID
	})
	bills, err := s.Store.SettlementsAt(ctx, c.PlaceID, in.From, in.To, maxMarks+1)
	if err != nil {
		return err
	}
	out.Settlements = marks(bills, &out.Cut, func(v ward.Settlement) (SettlementMark, bool) {
		return SettlementMark{v.ID, v.Kind, v.State, v.At, v.AmountFen}, v.InstitutionID == c.InstitutionID
	})
	alerts, err := s.Store.AlertsAt(ctx, c.PlaceID, in.From, in.To, maxMarks+1)
	if err != nil {
		return err
	}
	out.Alerts = marks(alerts, &out.Cut, func(a ward.Alert) (AlertMark, bool) {
		return AlertMark{a.ID, a.Rule, a.State, a.Severity, a.At, a.SettlementID}, a.InstitutionID == c.InstitutionID
	})
	return nil
}

// marks turns what turn keeps of all into marks, at most maxMarks of them.
func marks[T, M any](all []T, cut *bool, turn func(T) (M, bool)) []M {
	out := []M{}
	for _, v := range all {
		m, ok := turn(v)
		if !ok {
			continue
		}
		if len(out) == maxMarks {
			*cut = true
			break
		}
		out = append(out, m)
	}
	return out
}
