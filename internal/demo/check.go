package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/ward"
)

// Result is the last line of `wardwatch demo --check`.
type Result struct {
	Cameras     []CameraResult          `json:"cameras"`
	Segments    int                     `json:"segments"`
	Fsck        string                  `json:"fsck"`
	Settlements int                     `json:"settlements"`
	Alerts      map[ward.Rule]*Found    `json:"alerts"`
	Visits      map[ward.Verdict]*Found `json:"visits"`
	Case        string                  `json:"case"`
	Package     string                  `json:"package"`
	Key         string                  `json:"key"`
	Verify      string                  `json:"verify"`
	Seconds     map[string]float64      `json:"seconds"` // what took how long
}

// CameraResult is one camera's coverage and whether a browser could watch it.
type CameraResult struct {
	ID        ward.CameraID `json:"id"`
	RecordedS float64       `json:"recorded_s"`
	GapS      float64       `json:"gap_s"`
	Live      string        `json:"live"` // "ok", or why a browser cannot show it
}

// Found compares what came out with the truth.
type Found struct {
	Expected int `json:"expected"`
	Found    int `json:"found"`
	False    int `json:"false"`
}

func (f Found) right() bool { return f.Found == f.Expected && f.False == 0 }

const (
	roundDeadline = 100 * time.Second // of the unattended round
	judgeLimit    = 40 * time.Second  // from the last bill to its judgement
	sealLimit     = roundDeadline + 20*time.Second
	gapLimit      = 5.0 // seconds: until a camera's first key frame, and a margin for a busy machine
	unwritten     = 3.0 // seconds: what is recorded and not yet in a fragment on the disk
)

// Check does an inspector's whole work unattended: watches live, bills,
// reads alerts, orders a round, opens a case from each, exports and keeps
// the package in Work. The error says which step did not happen. Fsck and
// Verify are the caller's: they need the product's own commands.
func (h *Hospital) Check(ctx context.Context, began time.Time) (*Result, error) {
	res := &Result{Seconds: map[string]float64{}, Settlements: len(h.Scenario.Settlements)}
	if err := h.watchLive(ctx, res); err != nil {
		return res, err
	}
	var orders []ward.Round
	both, bctx := errgroup.WithContext(ctx)
	both.Go(func() error { return h.Bill(bctx, began, "S", false) })
	both.Go(func() (err error) {
		orders, err = h.orderRounds(bctx)
		return err
	})
	h.say("bills are being sent, ward rounds are running…")
	if err := both.Wait(); err != nil {
		return res, err
	}
	alerts, err := h.readAlerts(ctx, res)
	if err != nil {
		return res, err
	}
	visits, err := h.readVisits(ctx, orders, res)
	if err != nil {
		return res, err
	}
	if err := h.openCases(ctx, alerts, visits, res); err != nil {
		return res, err
	}
	return res, h.coverage(ctx, res)
}

// watchLive opens every camera as a browser does, over WHEP.
func (h *Hospital) watchLive(ctx context.Context, res *Result) error {
	for _, p := range h.Scenario.Cameras() {
		r := CameraResult{ID: p.Camera.ID, Live: "ok"}
		took, err := h.watch(ctx, p.Camera.ID)
		refused, _ := errors.AsType[*Problem](err)
		switch {
		case p.Camera.Codec == ward.H265 && refused != nil && refused.Code == "whep.codec":
			r.Live = refused.DetailEN // a browser without H.265 is told so; it is recorded all the same
		case err != nil:
			return fmt.Errorf("watch %s live: %w", p.Camera.ID, err)
		default:
			res.Seconds["first_picture_"+string(p.Camera.ID)] = took.Seconds()
		}
		res.Cameras = append(res.Cameras, r)
	}
	return nil
}

// orderRounds orders every bed that has an expected verdict, ward by ward,
// and lets each answer.
func (h *Hospital) orderRounds(ctx context.Context) ([]ward.Round, error) {
	type place struct {
		in   ward.InstitutionID
		ward string
	}
	var places []place
	ids := map[place][]ward.AdmissionID{}
	for _, b := range h.Scenario.Beds {
		if b.Verdict == ward.NoVerdict {
			continue
		}
		p := place{b.Institution, b.Ward}
		if len(ids[p]) == 0 {
			places = append(places, p)
		}
		ids[p] = append(ids[p], h.admissions[b.Bed])
	}
	var rounds []ward.Round
	var links []link
	for _, p := range places {
		var made struct {
			Round  ward.Round `json:"round"`
			Visits []link     `json:"visits"`
		}
		err := h.post(ctx, "/rounds", map[string]any{
			"institution_id": p.in, "reason": "演示：突击查房", "ward": p.ward, "admission_ids": ids[p], "deadline": time.Now().Add(roundDeadline).UTC(),
		}, &made)
		if err != nil {
			return rounds, err
		}
		rounds, links = append(rounds, made.Round), append(links, made.Visits...)
	}
	return rounds, h.answerAll(ctx, links)
}

// answerAll lets every bed answer its link.
func (h *Hospital) answerAll(ctx context.Context, links []link) error {
	var all errgroup.Group
	for _, v := range links {
		bed, ok := h.bed(v.Visit.Bed)
		if !ok {
			return errors.Join(all.Wait(), fmt.Errorf("the round has an unknown bed %s", v.Visit.Bed))
		}
		all.Go(func() error {
			if err := h.Answer(ctx, bed, v.Link); err != nil {
				return fmt.Errorf("bed %s: %w", bed.Bed, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// readVisits waits for every verdict and compares them with the truth.
func (h *Hospital) readVisits(ctx context.Context, orders []ward.Round, res *Result) ([]ward.Visit, error) {
	h.say("waiting for the deadline of the bed that does not answer…")
	var out []ward.Visit
	err := h.until(ctx, sealLimit, "every visit is sealed", func(ctx context.Context) (bool, error) {
		out = nil
		for _, r := range orders {
			var detail struct {
				Visits []struct {
					Visit ward.Visit `json:"visit"`
				} `json:"visits"`
			}
			if err := h.get(ctx, "/rounds/"+string(r.ID), &detail); err != nil {
				return false, err
			}
			for _, v := range detail.Visits {
				if v.Visit.State != ward.VisitSealed {
					return false, nil
				}
				out = append(out, v.Visit)
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	res.Visits = map[ward.Verdict]*Found{}
	at := func(v ward.Verdict) *Found {
		if res.Visits[v] == nil {
			res.Visits[v] = &Found{}
		}
		return res.Visits[v]
	}
	for _, v := range out {
		bed, _ := h.bed(v.Bed)
		at(bed.Verdict).Expected++
		if v.Verdict == bed.Verdict {
			at(bed.Verdict).Found++
		} else {
			at(v.Verdict).False++
			h.say("bed %s ended %s, not %s: %s", bed.Bed, v.Verdict, bed.Verdict, v.ReasonEN)
		}
	}
	for verdict, f := range res.Visits {
		if !f.right() {
			return nil, fmt.Errorf("visits %s: %+v", verdict, *f)
		}
	}
	return out, nil
}

// openCases opens a case from an alert and one from the impostor's visit,
// exports both, and keeps the first package.
func (h *Hospital) openCases(ctx context.Context, alerts []ward.Alert, visits []ward.Visit, res *Result) error {
	var key struct {
		Fingerprint string `json:"fingerprint"`
	}
	if err := h.get(ctx, "/ledger/key", &key); err != nil {
		return err
	}
	res.Key = key.Fingerprint
	mismatch := slices.IndexFunc(visits, func(v ward.Visit) bool { return v.Verdict == ward.Mismatch })
	for _, from := range []map[string]any{
		{"title": "冒名住院", "visit_id": visits[mismatch].ID},
		{"title": "空刷医保卡", "alert_id": alerts[0].ID},
	} {
		var c ward.Case
		if err := h.post(ctx, "/cases", from, &c); err != nil {
			return err
		}
		began := time.Now()
		zip, err := h.Admin.Bytes(ctx, "/api/v1/cases/"+string(c.ID)+"/export.zip")
		if err != nil {
			return err
		}
		res.Seconds["export"] = time.Since(began).Seconds()
		res.Case, res.Package = c.Number, filepath.Join(h.Work, string(c.ID)+".zip")
		if err := os.WriteFile(res.Package, zip, 0o600); err != nil {
			return err
		}
		h.say("case %s exported (%d kB)", c.Number, len(zip)>>10)
	}
	return nil
}

// coverage reads each camera's recorded and missing seconds.
func (h *Hospital) coverage(ctx context.Context, res *Result) error {
	for i, c := range res.Cameras {
		var row ward.Camera
		if err := h.get(ctx, "/cameras/"+string(c.ID), &row); err != nil {
			return err
		}
		var t struct {
			Segments  []ward.Segment `json:"segments"`
			RecordedS float64        `json:"recorded_s"`
			GapS      float64        `json:"gap_s"`
		}
		to := time.Now()
		path := fmt.Sprintf("/cameras/%s/timeline?from=%s&to=%s", c.ID, row.Created.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
		if err := h.get(ctx, path, &t); err != nil {
			return err
		}
		span := to.Sub(row.Created).Seconds()
		if len(t.Segments) == 0 || t.GapS > gapLimit || math.Abs(span-t.RecordedS-t.GapS) > unwritten {
			return fmt.Errorf("camera %s recorded %.1f s of %.1f s in %d segments, with %.1f s of gaps", c.ID, t.RecordedS, span, len(t.Segments), t.GapS)
		}
		res.Segments += len(t.Segments)
		res.Cameras[i].RecordedS, res.Cameras[i].GapS = t.RecordedS, t.GapS
	}
	return nil
}
