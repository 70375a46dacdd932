package demo

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// link is a visit and the bedside link that the order showed once.
type link struct {
	Visit ward.Visit `json:"visit"`
	Link  string     `json:"link"`
}

// Answer lets the simulated bedside of one bed answer a link until its visit ends.
func (h *Hospital) Answer(ctx context.Context, bed scenario.Bed, url string) error {
	o := simbed.Options{Server: h.Admin.Base, Link: url, HTTP: &http.Client{Transport: transport(h.Trust)}} // a stranger: no session
	switch bed.Behaviour {
	case scenario.Genuine:
		o.Behaviour = simbed.Genuine
	case scenario.Impostor:
		o.Behaviour = simbed.Impostor
	case scenario.Loop:
		o.Behaviour = simbed.Loop
	case scenario.Nobody, scenario.You:
		return nil
	}
	o.Clip, o.Mirrored = h.films[bed.Clip][0], h.films[bed.Clip][1]
	_, err := simbed.Run(ctx, o)
	return err
}

// bed returns the scenario's bed with this number.
func (h *Hospital) bed(number string) (scenario.Bed, bool) {
	for _, b := range h.Scenario.Beds {
		if b.Bed == number {
			return b, true
		}
	}
	return scenario.Bed{}, false
}

// wardDelay is how long a person has to open a bedside link before the
// simulated ward answers it.
const wardDelay = 8 * time.Second

// Ward answers, until ctx ends, every round that a person orders in the
// console: for each simulated bed it asks for a fresh link, as a nurse would,
// and joins.
func (h *Hospital) Ward(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	seen := map[ward.RoundID]bool{}
	for {
		var page struct {
			Items []ward.Round `json:"items"`
		}
		if err := h.get(ctx, "/rounds", &page); err != nil && ctx.Err() == nil {
			h.say("rounds not read: %v", err)
		}
		for _, r := range page.Items {
			if !seen[r.ID] {
				seen[r.ID] = true
				all.Go(func() { h.answerRound(ctx, r) })
			}
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *Hospital) answerRound(ctx context.Context, r ward.Round) {
	select {
	case <-time.After(wardDelay):
	case <-ctx.Done():
		return
	}
	var detail struct {
		Visits []struct {
			Visit ward.Visit `json:"visit"`
		} `json:"visits"`
	}
	if err := h.get(ctx, "/rounds/"+string(r.ID), &detail); err != nil {
		h.say("round not read: %v", err)
		return
	}
	for _, v := range detail.Visits {
		bed, ok := h.bed(v.Visit.Bed)
		if !ok || bed.Behaviour == scenario.Nobody || bed.Behaviour == scenario.You || v.Visit.State != ward.VisitOrdered {
			continue
		}
		var fresh link
		err := h.post(ctx, "/visits/"+string(v.Visit.ID)+"/link", nil, &fresh)
		if p, ok := errors.AsType[*Problem](err); ok && p.Status == http.StatusConflict {
			continue // a person has opened it meanwhile
		}
		if err == nil {
			err = h.Answer(ctx, bed, fresh.Link)
		}
		if err != nil && ctx.Err() == nil {
			h.say("bed %s: %v", bed.Bed, err)
		}
	}
}
