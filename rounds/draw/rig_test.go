package draw_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testdrand"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const inst ward.InstitutionID = "h-1"

var (
	chief   = ward.User{ID: "u-chief", Login: "chief", Name: "主任", Role: ward.Administrator, AllInstitutions: true}
	contact = ward.User{ID: "u-contact", Login: "contact", Name: "联系人", Role: ward.Contact, Institutions: []ward.InstitutionID{inst}}
)

// rig is a hospital of 14 inpatients in two wards, five inspectors and a contact.
type rig struct {
	t      testing.TB
	store  *storage.Store
	beacon *testdrand.Server
	drawer *rounds.Drawer
	engine *rounds.Engine
	users  map[ward.UserID]ward.User
}

func newRig(t testing.TB, s *storage.Store) *rig {
	t.Helper()
	r := &rig{t: t, store: s, beacon: testdrand.New(t, "draws", time.Now().Add(-time.Hour)), users: map[ward.UserID]ward.User{}}
	log := slog.New(slog.DiscardHandler)
	r.drawer = &rounds.Drawer{Store: s, Chain: r.beacon.Chain, Relays: []string{r.beacon.URL}, Margin: time.Second, Log: log}
	r.engine = &rounds.Engine{Store: s, Log: log}
	ctx := t.Context()
	r.ok(s.PutInstitution(ctx, ward.Institution{ID: inst, Name: "医院"}))
	for i := range 14 {
		p := ward.Insured{ID: ward.InsuredID(fmt.Sprintf("p-%02d", i)), Name: fmt.Sprintf("张三%d", i), IDNumber: fmt.Sprintf("1101011990010110%02d", i)}
		r.ok(s.PutInsured(ctx, p))
		w := "内科"
		if i%2 == 1 {
			w = "外科"
		}
		r.ok(s.AddAdmission(ctx, ward.Admission{ID: ward.AdmissionID(fmt.Sprintf("a-%02d", i)), InstitutionID: inst, InsuredID: p.ID, Ward: w, Bed: fmt.Sprint(i), From: time.Now().Add(-48 * time.Hour)}))
	}
	r.add(chief)
	r.add(contact)
	for i := range 5 {
		r.add(ward.User{ID: ward.UserID(fmt.Sprintf("u-%d", i)), Login: fmt.Sprint("inspector-", i), Name: fmt.Sprint("稽核员", i), Role: ward.Inspector, AllInstitutions: true})
	}
	return r
}

func (r *rig) add(u ward.User) {
	r.t.Helper()
	r.ok(r.store.AddUser(r.t.Context(), u, "", ""))
	r.users[u.ID] = u
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// run conducts draws until the test ends or stop is called.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.drawer.Run(ctx) })
	stop = func() { cancel(); wg.Wait() }
	r.t.Cleanup(stop)
	return stop
}

// rule is the order of a plain draw: 2 of 内科, 3 of 外科, 2 inspectors; one
// stay and one inspector are excluded.
func rule(source ward.DrawSource) rounds.DrawOrder {
	return rounds.DrawOrder{
		InstitutionID: inst, Source: source, Strata: []rounds.DrawStratum{{Ward: "外科", Take: 3}, {Ward: "内科", Take: 2}}, Inspectors: 2,
		Excluded: map[ward.AdmissionID]string{"a-02": "正在手术"}, Conflicts: map[ward.UserID]string{"u-3": "亲属在该院任职"},
	}
}

func (r *rig) commit(o rounds.DrawOrder) ward.Draw {
	r.t.Helper()
	d, err := r.drawer.Commit(r.t.Context(), chief, o)
	r.ok(err)
	return d
}

// until waits for a draw's state.
func (r *rig) until(id ward.DrawID, want ward.DrawState) ward.Draw {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		d, err := r.store.Draw(r.t.Context(), id)
		r.ok(err)
		if d.State == want {
			return d
		}
		if time.Now().After(end) {
			r.t.Fatalf("draw is still %s", d.State)
		}
	}
}

func (r *rig) view(d ward.Draw) rounds.DrawView {
	r.t.Helper()
	v, err := r.drawer.View(r.t.Context(), d)
	r.ok(err)
	return v
}

func (r *rig) proof(id ward.DrawID) []byte {
	r.t.Helper()
	b, err := r.drawer.Proof(r.t.Context(), id)
	r.ok(err)
	return b
}

func (r *rig) options() draw.Options {
	return draw.Options{Fingerprint: ledger.Fingerprint(r.store.PublicKey()), Chains: []string{r.beacon.Chain.Hash}}
}

// verify verifies the draw's proof and fails the test when it does not hold.
func (r *rig) verify(id ward.DrawID) draw.Report {
	r.t.Helper()
	rep := draw.Verify(r.proof(id), r.options())
	if !rep.OK() || !rep.Compared {
		r.t.Fatalf("not verified: %+v", rep.Failures)
	}
	return rep
}

// fsck returns what fsck finds of draws and rounds.
func (r *rig) fsck() []storage.FsckProblem {
	r.t.Helper()
	dir, err := objects.OpenDir(r.t.TempDir())
	r.ok(err)
	sp, err := spool.Open(r.t.TempDir(), spool.Options{Reserve: -1})
	r.ok(err)
	rep, err := r.store.Fsck(r.t.Context(), storage.Media{Objects: dir, Spool: sp}, storage.FsckOptions{Cursor: filepath.Join(r.t.TempDir(), "fsck.json")})
	r.ok(err)
	r.ok(sp.Close())
	return rep.Problems
}

// refused wants a ward.Error of a code.
func (r *rig) refused(err error, code string) {
	r.t.Helper()
	if !errors.Is(err, &ward.Error{Code: code}) {
		r.t.Errorf("got %v, want %s", err, code)
	}
}

// drawn is a draw that has its result.
func (r *rig) drawn(o rounds.DrawOrder) ward.Draw {
	r.t.Helper()
	d := r.commit(o)
	if o.Source == ward.SourceCoin {
		_, err := r.drawer.Answer(r.t.Context(), contact, d.ID, rounds.Flip{Commitment: d.Commitment, Value: strings.Repeat("5a", 32)})
		r.ok(err)
	}
	return r.until(d.ID, ward.DrawDrawn)
}

func each(t *testing.T, f func(r *rig)) {
	t.Helper()
	teststore.Each(t, func(t *testing.T, s *storage.Store) { f(newRig(t, s)) })
}

// edit is a record as a map, to be changed and sealed by a dishonest desk.
func edit(v any) map[string]any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}
