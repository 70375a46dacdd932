package draw_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestDraw commits, waits for the beacon, orders the round, and verifies the
// proof at every step.
func TestDraw(t *testing.T) {
	each(t, func(r *rig) {
		r.beacon.Away.Store(true) // until the commitment was looked at
		r.run()
		d := r.commit(rule(ward.SourceDrand))
		if rep := r.verify(d.ID); rep.State != ward.DrawCommitted || rep.Hash != d.Commitment || rep.Result != nil {
			t.Errorf("after the commitment: %+v", rep)
		}
		r.beacon.Away.Store(false)
		r.until(d.ID, ward.DrawDrawn)
		rep := r.verify(d.ID)
		beds := rep.Result.All()
		if len(beds) != 5 || slices.Contains(beds, "a-02") || len(rep.Result.Inspectors) != 2 || slices.Contains(rep.Result.Inspectors, "u-3") {
			t.Errorf("drawn: %v, %v", beds, rep.Result.Inspectors)
		}
		if rep.Commitment.Outside != 0 || len(rep.Commitment.Excluded) != 1 || rep.Commitment.Excluded[0].Reason != "正在手术" || rep.Commitment.Excluded[0].By != chief.ID {
			t.Errorf("committed: %+v", rep.Commitment)
		}
		order := rounds.DrawnOrder{Draw: d.ID, Reason: "双随机", Deadline: time.Now().Add(time.Hour)}
		_, _, err := r.engine.OrderDrawn(t.Context(), chief, r.drawer, order)
		r.refused(err, "draw.inspector")
		who := r.users[rep.Result.Inspectors[0]]
		order.LeftOut = []draw.LeftOut{{Admission: beds[1]}}
		_, _, err = r.engine.OrderDrawn(t.Context(), who, r.drawer, order)
		r.refused(err, "draw.left_out")
		order.LeftOut = []draw.LeftOut{{Admission: "a-02", Reason: "换一位"}}
		_, _, err = r.engine.OrderDrawn(t.Context(), who, r.drawer, order)
		r.refused(err, "draw.left_out")
		order.LeftOut = []draw.LeftOut{{Admission: beds[1], Reason: "今晨出院"}, {Inspector: rep.Result.Inspectors[1], Reason: "病假"}}
		round, links, err := r.engine.OrderDrawn(t.Context(), who, r.drawer, order)
		r.ok(err)
		var visited []ward.AdmissionID
		for _, l := range links {
			visited = append(visited, l.Visit.AdmissionID)
		}
		if want := slices.Delete(slices.Clone(beds), 1, 2); !slices.Equal(visited, want) || round.DrawID != d.ID || round.Method != ward.ByDraw {
			t.Errorf("ordered %v, want %v: %+v", visited, want, round)
		}
		_, _, err = r.engine.OrderDrawn(t.Context(), who, r.drawer, order)
		r.refused(err, "draw.state")
		rep = r.verify(d.ID)
		if rep.State != ward.DrawOrdered || rep.Order.Round != round.ID || len(rep.Order.LeftOut) != 2 {
			t.Errorf("after the order: %+v", rep)
		}
		if bytes.Contains(r.proof(d.ID), []byte("张三")) || bytes.Contains(r.proof(d.ID), []byte(`"p-0`)) {
			t.Error("the proof names a person")
		}
		if p := r.fsck(); len(p) > 0 {
			t.Errorf("fsck: %+v", p)
		}
	})
}

// TestStrangerReplays replays a real proof with the 30 lines of Python.
func TestStrangerReplays(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("no python3 here; TestVectors has what it wrote")
		return
	}
	r := newRig(t, teststore.SQLite(t))
	r.run()
	for _, source := range []ward.DrawSource{ward.SourceDrand, ward.SourceCoin} {
		o := rule(source)
		if source == ward.SourceCoin {
			o.Previous, o.Reason = r.last(), "再抽一次"
		}
		file := filepath.Join(t.TempDir(), "proof.json")
		b := r.proof(r.drawn(o).ID)
		r.ok(os.WriteFile(file, b, 0o600))
		if out, err := exec.CommandContext(t.Context(), python, "testdata/replay.py", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", source, err, out)
		}
		r.ok(os.WriteFile(file, bytes.Replace(b, []byte(`\"seq\":1`), []byte(`\"seq\":2`), 1), 0o600))
		if exec.CommandContext(t.Context(), python, "testdata/replay.py", file).Run() == nil {
			t.Errorf("%s: a changed commitment replays", source)
		}
	}
}

func (r *rig) last() ward.DrawID {
	r.t.Helper()
	all, err := r.store.Draws(r.t.Context(), nil, "", 1)
	r.ok(err)
	return all[0].ID
}

// TestResumed: a draw whose process died between the commitment and the seed
// is concluded by the next one.
func TestResumed(t *testing.T) {
	dir := t.TempDir()
	open := func() *storage.Store {
		s, err := storage.Migrate(t.Context(), storage.Options{Database: filepath.Join(dir, "c.db"), Keys: filepath.Join(dir, "keys")})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	r := newRig(t, open())
	d := r.commit(rule(ward.SourceDrand))
	r.ok(r.store.Close())
	r.store = open()
	t.Cleanup(func() { _ = r.store.Close() })
	r.drawer = &rounds.Drawer{Store: r.store, Relays: r.drawer.Relays, Log: r.drawer.Log} // of any chain: the committed one counts
	r.run()
	r.until(d.ID, ward.DrawDrawn)
	r.verify(d.ID)
}

// TestBeaconByHand: without a network the round is pasted; only the committed
// one is taken, and not before it is out.
func TestBeaconByHand(t *testing.T) {
	r := newRig(t, teststore.SQLite(t))
	r.drawer.Relays = nil
	r.run()
	d := r.commit(rule(ward.SourceDrand))
	want := r.view(d).Commitment.Source.Drand.Round
	_, err := r.drawer.Beacon(t.Context(), d.ID, r.beacon.Beacon(want-1))
	r.refused(err, "draw.beacon")
	forged := bytes.Replace(r.beacon.Beacon(want-1), []byte(`"randomness":"`), []byte(`"x":"`), 1)
	_, err = r.drawer.Beacon(t.Context(), d.ID, bytes.Replace(forged, []byte(`"round":`), []byte(`"round":1`), 1))
	r.refused(err, "draw.beacon")
	<-time.After(time.Until(d.Due)) // the beacon's own clock
	out, err := r.drawer.Beacon(t.Context(), d.ID, r.beacon.Beacon(want))
	r.ok(err)
	if out.State != ward.DrawDrawn {
		t.Errorf("state %s", out.State)
	}
	r.verify(d.ID)
}

// TestBeaconEarly: a round that is not out yet by our clock is refused, good
// as its signature is.
func TestBeaconEarly(t *testing.T) {
	r := newRig(t, teststore.SQLite(t))
	r.drawer.Margin = 10 * time.Minute
	d := r.commit(rule(ward.SourceDrand))
	_, err := r.drawer.Beacon(t.Context(), d.ID, r.beacon.Beacon(r.view(d).Commitment.Source.Drand.Round))
	r.refused(err, "draw.early")
}

// TestRelayAway: while the relays are away the draw waits, and goes on after.
func TestRelayAway(t *testing.T) {
	r := newRig(t, teststore.SQLite(t))
	r.beacon.Away.Store(true)
	r.run()
	d := r.commit(rule(ward.SourceDrand))
	<-time.After(time.Until(d.Due.Add(2 * time.Second)))
	if v, err := r.store.Draw(t.Context(), d.ID); err != nil || v.State != ward.DrawCommitted {
		t.Fatalf("%s: %v", v.State, err)
	}
	r.beacon.Away.Store(false)
	r.until(d.ID, ward.DrawDrawn)
}

// TestCoin: only the contact answers, after having seen the commitment, once.
func TestCoin(t *testing.T) {
	each(t, func(r *rig) {
		d := r.commit(rule(ward.SourceCoin))
		value := strings.Repeat("a7", 32)
		answer := func(by ward.User, f rounds.Flip) error {
			_, err := r.drawer.Answer(t.Context(), by, d.ID, f)
			return err
		}
		good := rounds.Flip{Commitment: d.Commitment, Value: value}
		r.refused(answer(chief, good), "draw.flip")
		stranger := contact
		stranger.Institutions = []ward.InstitutionID{"h-2"}
		r.refused(answer(stranger, good), "draw.flip")
		r.refused(answer(contact, rounds.Flip{Commitment: strings.Repeat("0", 64), Value: value}), "draw.commitment")
		r.refused(answer(contact, rounds.Flip{Commitment: d.Commitment, Value: strings.ToUpper(value)}), "draw.value")
		r.refused(answer(contact, rounds.Flip{Commitment: d.Commitment, Value: value[2:]}), "draw.value")
		r.ok(answer(contact, good))
		r.refused(answer(contact, good), "draw.state")
		if rep := r.verify(d.ID); rep.Result.Coin.Value != value || rep.Result.Coin.By != contact.ID {
			t.Errorf("%+v", rep.Result.Coin)
		}
	})
}

// TestRefusedSilentAbandoned: what came to nothing stays in the list, sealed,
// and the next draw of that day must name it and say why.
func TestRefusedSilentAbandoned(t *testing.T) {
	each(t, func(r *rig) {
		ctx := t.Context()
		r.beacon.Away.Store(true) // the third is given up before it has a seed
		one := r.commit(rule(ward.SourceCoin))
		_, err := r.drawer.Commit(ctx, chief, rule(ward.SourceCoin))
		r.refused(err, "draw.previous")
		again := rule(ward.SourceCoin)
		again.Previous, again.Reason = one.ID, "再抽一次"
		_, err = r.drawer.Commit(ctx, chief, again)
		r.refused(err, "draw.open")
		for refusal, code := range map[string]string{"张三3 已出院": "draw.named", " ": "draw.reason_missing", strings.Repeat("不", 201): "draw.reason_missing"} {
			_, err = r.drawer.Answer(ctx, contact, one.ID, rounds.Flip{Commitment: one.Commitment, Refuse: refusal})
			r.refused(err, code)
		}
		_, err = r.drawer.Answer(ctx, contact, one.ID, rounds.Flip{Commitment: one.Commitment, Refuse: "不同意"})
		r.ok(err)
		noReason := again
		noReason.Reason = " "
		_, err = r.drawer.Commit(ctx, chief, noReason)
		r.refused(err, "draw.reason")
		named := again
		named.Reason = "张三3 投诉"
		_, err = r.drawer.Commit(ctx, chief, named)
		r.refused(err, "draw.named")

		r.drawer.Coin = 50 * time.Millisecond
		two := r.commit(again)
		r.run()
		r.until(two.ID, ward.DrawFailed)
		last := rule(ward.SourceDrand)
		last.Previous, last.Reason = two.ID, "联系人未作答"
		three := r.commit(last)
		_, err = r.drawer.Abandon(ctx, chief, three.ID, "")
		r.refused(err, "draw.reason_missing")
		_, err = r.drawer.Abandon(ctx, chief, three.ID, "误选病区")
		r.ok(err)
		for i, want := range []struct {
			d     ward.Draw
			state ward.DrawState
			why   draw.FailReason
		}{{one, ward.DrawFailed, draw.ContactRefused}, {two, ward.DrawFailed, draw.ContactSilent}, {three, ward.DrawAbandoned, ""}} {
			rep := r.verify(want.d.ID)
			if rep.State != want.state || rep.End.Why != want.why || rep.End.Secret == "" || rep.Commitment.Number != i+1 {
				t.Errorf("draw %d: %s %+v", i+1, rep.State, rep.End)
			}
		}
		all, err := r.store.Draws(ctx, []ward.InstitutionID{inst}, "", 10)
		r.ok(err)
		if len(all) != 3 || all[0].Previous != two.ID || all[1].Previous != one.ID || all[2].Previous != "" {
			t.Errorf("listed: %+v", all)
		}
		if p := r.fsck(); len(p) > 0 {
			t.Errorf("fsck: %+v", p)
		}
	})
}
