package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/internal/counters"
	"wardwatch/internal/demo"
	"wardwatch/ward"
)

const (
	camerasLimit = time.Minute // until every camera is live
	judgedLimit  = 5 * time.Minute
	evalPage     = 200
)

// evalDay plays a world through the public API, as a billing system and an
// administrator would.
type evalDay struct {
	world *counters.World
	admin *demo.Client
	faces string
	wait  time.Duration // from the last swipe until the answers are read
	say   func(string, ...any)
}

// play sets the institutions up, runs the cameras, sends the bills and reads
// what was said of them.
func (d *evalDay) play(ctx context.Context, films []string) (counters.Report, error) {
	if err := d.setUp(ctx); err != nil {
		return counters.Report{}, err
	}
	server, err := d.cameras(films)
	if err != nil {
		return counters.Report{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var report counters.Report
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return server.Run(ctx) })
	all.Go(func() error {
		defer stop()
		if err := d.connect(ctx, server.URL); err != nil {
			return err
		}
		began := server.Began()
		if err := d.bill(ctx, began); err != nil {
			return err
		}
		answers, err := d.answers(ctx, began)
		if err == nil {
			report = d.world.Score(answers)
		}
		return err
	})
	return report, all.Wait()
}

// setUp makes the institutions, the counters and the insured.
func (d *evalDay) setUp(ctx context.Context) error {
	for _, in := range d.world.Institutions {
		if err := d.post(ctx, "/institutions", ward.Institution{ID: in.ID, Name: string(in.ID), Location: &in.Location}); err != nil {
			return err
		}
	}
	for _, c := range d.world.Counters {
		if err := d.post(ctx, "/places", ward.Place{ID: c.ID, InstitutionID: d.world.Institutions[c.Institution].ID, Name: string(c.ID), Kind: c.Kind}); err != nil {
			return err
		}
	}
	for _, card := range d.world.Spare {
		if err := d.insured(ctx, card); err != nil {
			return err
		}
	}
	refused := 0
	for i, p := range d.world.People {
		if p.Photo == "" {
			continue
		}
		if err := d.insured(ctx, p.Card); err != nil {
			return err
		}
		photo, err := os.ReadFile(filepath.Join(d.faces, p.Photo))
		if err != nil {
			return err
		}
		err = d.admin.Do(ctx, http.MethodPut, "/api/v1/insured/"+string(p.Card)+"/photo", photo, nil)
		if no, ok := errors.AsType[*demo.Problem](err); ok && no.Status < 500 {
			d.world.People[i].Photo = "" // then the card has no enrolled face, in truth either
			refused++
			continue
		}
		if err != nil {
			return err
		}
	}
	d.say("enrolled; %d photos were refused", refused)
	return nil
}

func (d *evalDay) insured(ctx context.Context, card ward.InsuredID) error {
	return d.post(ctx, "/insured", map[string]any{"id": card, "name": "评测", "id_number": "110101195003070019"})
}

func (d *evalDay) post(ctx context.Context, path string, in any) error {
	return d.admin.Do(ctx, http.MethodPost, "/api/v1"+path, in, nil)
}

// connect adds the cameras and waits until all of them are live.
func (d *evalDay) connect(ctx context.Context, url func(path string) string) error {
	for _, c := range d.world.Counters {
		in := map[string]any{
			"id": c.ID, "place_id": c.ID, "name": string(c.ID), "url": url(string(c.ID)), "transport": ward.TransportTCP, "enabled": true, "segment_seconds": 60, "retention_days": 90,
		}
		if err := d.post(ctx, "/cameras", in); err != nil {
			return err
		}
	}
	return d.until(ctx, camerasLimit, "every camera is live", func() (bool, error) {
		var page struct {
			Items []struct {
				Live struct {
					State string `json:"state"`
				} `json:"live"`
			} `json:"items"`
		}
		err := d.admin.Do(ctx, http.MethodGet, "/api/v1/cameras?limit=200", nil, &page)
		live := 0
		for _, c := range page.Items {
			if c.Live.State == "live" {
				live++
			}
		}
		return live == len(d.world.Counters), err
	})
}

// bill sends each settlement shortly after its moment, dated by the clock of
// its institution's billing system.
func (d *evalDay) bill(ctx context.Context, began time.Time) error {
	told := time.Now()
	for i, s := range d.world.Swipes {
		moment := began.Add(seconds(s.At))
		select {
		case <-time.After(time.Until(moment.Add(300 * time.Millisecond))):
		case <-ctx.Done():
			return ctx.Err()
		}
		c := d.world.Counters[s.Counter]
		in := d.world.Institutions[c.Institution]
		kind := ward.Outpatient
		if c.Kind == ward.Pharmacy {
			kind = ward.DrugSale
		}
		no := fmt.Sprintf("S%05d", i)
		bill := map[string]any{
			"institution_id": in.ID, "place_id": c.ID, "external_no": no, "insured_id": s.Card, "kind": kind, "at": moment.Add(in.Skew).UTC(), "amount_fen": 10000 + i,
		}
		if err := d.admin.Do(ctx, http.MethodPost, "/api/v1/settlements", bill, nil, "Idempotency-Key", no); err != nil {
			return fmt.Errorf("settlement %s: %w", no, err)
		}
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			d.say("%d of %d settlements; %.0f s to go", i+1, len(d.world.Swipes), d.world.Swipes[len(d.world.Swipes)-1].At-s.At+d.wait.Seconds())
		}
	}
	return nil
}

// answers waits until everything is judged and reads it, a row for each swipe.
func (d *evalDay) answers(ctx context.Context, began time.Time) ([]counters.Answer, error) {
	last := began.Add(seconds(d.world.Swipes[len(d.world.Swipes)-1].At))
	select {
	case <-time.After(time.Until(last.Add(d.wait))):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var bills []ward.Settlement
	err := d.until(ctx, judgedLimit, "every settlement is judged", func() (done bool, err error) {
		bills, err = pages[ward.Settlement](ctx, d.admin, "/api/v1/settlements?")
		return !slices.ContainsFunc(bills, func(s ward.Settlement) bool { return s.State == ward.Pending }), err
	})
	if err != nil {
		return nil, err
	}
	answers, of := make([]counters.Answer, len(d.world.Swipes)), map[ward.SettlementID]int{}
	for _, b := range bills {
		var i int
		if _, err := fmt.Sscanf(b.ExternalNo, "S%d", &i); err != nil || i >= len(answers) {
			return nil, fmt.Errorf("a settlement that was not sent: %s", b.ExternalNo)
		}
		answers[i] = counters.Answer{State: b.State, Unclear: map[ward.Rule]string{}}
		for _, u := range b.Unclear {
			answers[i].Unclear[u.Rule] = u.Reason
		}
		of[b.ID] = i
	}
	alerts, err := pages[ward.Alert](ctx, d.admin, "/api/v1/alerts?shadow=true&")
	for _, a := range alerts {
		if i, ok := of[a.SettlementID]; ok && a.State != ward.AlertWithdrawn {
			answers[i].Alerts = append(answers[i].Alerts, a.Rule)
		}
	}
	return answers, err
}

// pages reads every page of a list.
func pages[T any](ctx context.Context, c *demo.Client, path string) ([]T, error) {
	var out []T
	for cursor := ""; ; {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.Do(ctx, http.MethodGet, fmt.Sprintf("%slimit=%d&cursor=%s", path, evalPage, cursor), nil, &page); err != nil {
			return nil, err
		}
		if out, cursor = append(out, page.Items...), page.Next; cursor == "" {
			return out, nil
		}
	}
}

// until polls done twice a second.
func (d *evalDay) until(ctx context.Context, limit time.Duration, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %v: %s", limit, what))
	defer cancel()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
