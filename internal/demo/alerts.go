package demo

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wardwatch/internal/scenario"
	"wardwatch/ward"
)

// readAlerts waits until no settlement is pending and compares the alerts with the truth.
func (h *Hospital) readAlerts(ctx context.Context, res *Result) ([]ward.Alert, error) {
	began := time.Now()
	var bills struct {
		Items []ward.Settlement `json:"items"`
	}
	err := h.until(ctx, judgeLimit, "every settlement is judged", func(ctx context.Context) (bool, error) {
		err := h.get(ctx, "/settlements?limit=100", &bills)
		open := slices.ContainsFunc(bills.Items, func(x ward.Settlement) bool { return x.State == ward.Pending })
		return err == nil && !open && len(bills.Items) == len(h.Scenario.Settlements), err
	})
	if err != nil {
		return nil, err
	}
	res.Seconds["last_bill_to_judgement"] = time.Since(began).Seconds()
	truth := map[ward.SettlementID]scenario.Truth{}
	for _, b := range bills.Items {
		for _, x := range h.Scenario.Settlements {
			if b.ExternalNo == number("S", x) {
				truth[b.ID] = x.Truth
				if x.Truth == scenario.Honest && b.State != ward.Clear {
					h.say("honest settlement %s is %s (%s)", b.ExternalNo, b.State, b.Reason)
				}
			}
		}
	}
	var page struct {
		Items []ward.Alert `json:"items"`
	}
	if err := h.get(ctx, "/alerts?limit=100", &page); err != nil {
		return nil, err
	}
	res.Alerts = map[ward.Rule]*Found{}
	for rule, n := range h.Scenario.Expected() {
		res.Alerts[rule] = &Found{Expected: n}
	}
	for _, a := range page.Items {
		if res.Alerts[a.Rule] == nil { // a rule of which the scenario knows nothing
			res.Alerts[a.Rule] = &Found{}
		}
		if ward.Rule(truth[a.SettlementID]) == a.Rule {
			res.Alerts[a.Rule].Found++
		} else {
			res.Alerts[a.Rule].False++
			h.say("false alert %s on a settlement that is %s", a.Rule, truth[a.SettlementID])
		}
		if s := a.Raised.Sub(a.At).Seconds(); s > res.Seconds["swipe_to_alert_max"] {
			res.Seconds["swipe_to_alert_max"] = s
		}
	}
	for rule, f := range res.Alerts {
		if !f.right() {
			return nil, fmt.Errorf("alerts %s: %+v", rule, *f)
		}
	}
	return page.Items, h.lookAt(ctx, page.Items)
}

// clipLeast is 20 s before and after the swipe, less the first seconds of
// the cameras: the first fraud comes 19.5 s after they began.
const clipLeast = 37 * time.Second

// lookAt fetches each alert's picture and clip and checks that the clip
// decodes and covers the swipe.
func (h *Hospital) lookAt(ctx context.Context, alerts []ward.Alert) error {
	for _, a := range alerts {
		path := "/api/v1/alerts/" + string(a.ID)
		picture, err := h.Admin.Bytes(ctx, path+"/snapshot.jpg")
		if err != nil {
			return err
		}
		if _, err := jpeg.Decode(bytes.NewReader(picture)); err != nil {
			return fmt.Errorf("snapshot of alert %s: %w", a.ID, err)
		}
		// The last seconds of a fresh alert's clip are still to come.
		select {
		case <-time.After(time.Until(a.ClipTo.Add(2 * time.Second))):
		case <-ctx.Done():
			return ctx.Err()
		}
		clip, err := h.Admin.Bytes(ctx, path+"/clip.mp4")
		if err != nil {
			return err
		}
		file := filepath.Join(h.Work, "clip.mp4")
		if err := os.WriteFile(file, clip, 0o600); err != nil {
			return err
		}
		length, err := decode(ctx, file)
		if err != nil {
			return fmt.Errorf("clip of alert %s: %w", a.ID, err)
		}
		if length < clipLeast {
			return fmt.Errorf("clip of alert %s is only %v long", a.ID, length)
		}
	}
	return nil
}
