package draw_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/rounds/drand"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestEveryByte: a proof with any byte changed, cut off, added or left out is rejected.
func TestEveryByte(t *testing.T) {
	r := newRig(t, teststore.SQLite(t))
	d := r.drawn(rule(ward.SourceCoin))
	order := rounds.DrawnOrder{Draw: d.ID, Reason: "双随机", Deadline: time.Now().Add(time.Hour)}
	_, _, err := r.engine.OrderDrawn(t.Context(), r.users[r.view(d).Result.Inspectors[0]], r.drawer, order)
	r.ok(err)
	b := r.proof(d.ID)
	rejected := func(what string, at int, changed []byte) {
		if rep := draw.Verify(changed, r.options()); rep.OK() {
			t.Fatalf("byte %d of %d %s: verified", at, len(b), what)
		}
	}
	for i := range b {
		for _, x := range []byte{1, 0x20, 0x80} {
			changed := append([]byte{}, b...)
			changed[i] ^= x
			rejected("changed", i, changed)
		}
		rejected("left out", i, append(append([]byte{}, b[:i]...), b[i+1:]...))
		if i%16 == 0 {
			rejected("doubled", i, append(append([]byte{}, b[:i+1]...), b[i:]...))
			rejected("cut off", i, b[:i])
		}
	}
	rejected("added", len(b), append(append([]byte{}, b...), '\n'))
	t.Logf("%d bytes", len(b))
}

// TestKeysAndChains: the wrong fingerprint and a chain that the verifier does not know are refused.
func TestKeysAndChains(t *testing.T) {
	r := newRig(t, teststore.SQLite(t))
	r.run()
	b := r.proof(r.drawn(rule(ward.SourceDrand)).ID)
	o := r.options()
	o.Fingerprint = strings.Repeat("0", 64)
	wants(t, draw.Verify(b, o), "key")
	o = r.options()
	o.Chains = nil
	wants(t, draw.Verify(b, o), "quicknet")
	o = r.options()
	o.Fingerprint = ""
	if rep := draw.Verify(b, o); !rep.OK() || rep.Compared || rep.Exit() != draw.ExitUnchecked {
		t.Errorf("without a fingerprint: %+v", rep)
	}
	o.Fingerprint = " " + strings.ToUpper(r.options().Fingerprint[:10]) + ":" + r.options().Fingerprint[10:]
	if rep := draw.Verify(b, o); !rep.Compared {
		t.Error("a fingerprint with colons is not compared")
	}
}

// wants wants one failure whose place or English text holds the word.
func wants(t *testing.T, rep draw.Report, word string) {
	t.Helper()
	for _, f := range rep.Failures {
		if strings.Contains(f.Where+f.EN, word) && f.ZH != "" {
			return
		}
	}
	t.Errorf("no failure about %q: %+v", word, rep.Failures)
}

// TestDishonestDesk: what a desk that holds the ledger's key could seal is
// found by replaying it, and named.
func TestDishonestDesk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, word string
		source     ward.DrawSource
		commit     func(map[string]any)
		result     func(map[string]any)
		order      func(map[string]any)
		fail       draw.FailReason // instead of the result
	}{
		{name: "honest", source: ward.SourceCoin},
		{name: "honest beacon", source: ward.SourceDrand},
		{name: "a later round", word: "may have been chosen", source: ward.SourceDrand, commit: func(m map[string]any) { in(m, "source", "drand")["round"] = 1e9 }},
		{name: "an earlier round", word: "may have been chosen", source: ward.SourceDrand, commit: func(m map[string]any) { in(m, "source", "drand")["round"] = 5 }},
		{name: "no margin", word: "margin", source: ward.SourceDrand, commit: func(m map[string]any) { in(m, "source", "drand")["margin_ms"] = 0 }},
		{name: "own key in a known chain", word: "hash names", source: ward.SourceDrand, commit: func(m map[string]any) { in(m, "source", "drand", "chain")["hash"] = drand.Quicknet().Hash }},
		{name: "unknown source", word: "source", source: ward.SourceCoin, commit: func(m map[string]any) { in(m, "source")["kind"] = "dice" }},
		{name: "unknown algorithm", word: "algorithm", source: ward.SourceCoin, commit: func(m map[string]any) { m["algorithm"] = "mine/1" }},
		{name: "unknown field", word: "read", source: ward.SourceCoin, commit: func(m map[string]any) { m["rank"] = 1 }},
		{name: "a candidate twice", word: "lists", source: ward.SourceCoin, commit: func(m map[string]any) { stratum(m)[1] = stratum(m)[0] }},
		{name: "out of order", word: "lists", source: ward.SourceCoin, commit: func(m map[string]any) { stratum(m)[0], stratum(m)[1] = stratum(m)[1], stratum(m)[0] }},
		{name: "excluded without a reason", word: "lists", source: ward.SourceCoin, commit: func(m map[string]any) { m["excluded"].([]any)[0].(map[string]any)["reason"] = "" }},
		{name: "a repetition unnamed", word: "repeats", source: ward.SourceCoin, commit: func(m map[string]any) { m["number"] = 2 }},
		{name: "another day", word: "day", source: ward.SourceCoin, commit: func(m map[string]any) { m["day"] = "2020-01-01" }},
		{name: "another moment", word: "moment", source: ward.SourceCoin, commit: func(m map[string]any) { m["at"] = "2020-01-01T00:00:00Z" }},
		{name: "another secret", word: "secret", source: ward.SourceCoin, result: func(m map[string]any) { m["secret"] = strings.Repeat("1", 64) }},
		{name: "another seed", word: "seed does", source: ward.SourceCoin, result: func(m map[string]any) { m["seed"] = strings.Repeat("0", 64) }},
		{name: "another number", word: "seed does", source: ward.SourceCoin, result: func(m map[string]any) { in(m, "coin")["value"] = strings.Repeat("0", 64) }},
		{name: "another signature", word: "signature", source: ward.SourceDrand, result: func(m map[string]any) { in(m, "drand")["signature"] = strings.Repeat("0", 96) }},
		{name: "beds swapped", word: "beds are not", source: ward.SourceCoin, result: func(m map[string]any) {
			b := m["beds"].([]any)[0].(map[string]any)["admissions"].([]any)
			b[0], b[1] = b[1], b[0]
		}},
		{name: "an inspector swapped", word: "inspectors are not", source: ward.SourceCoin, result: func(m map[string]any) { m["inspectors"].([]any)[0] = "u-chief" }},
		{name: "a bed dropped in silence", word: "without a reason", source: ward.SourceCoin, order: func(m map[string]any) { m["admissions"] = m["admissions"].([]any)[1:] }},
		{name: "a bed swapped at the order", word: "without a reason", source: ward.SourceCoin, order: func(m map[string]any) { m["admissions"].([]any)[0] = "a-02" }},
		{name: "ordered by somebody else", word: "not ordered by", source: ward.SourceCoin, order: func(m map[string]any) { m["by"] = chief.ID }},
		{name: "an answer after its time", word: "answer was sealed after", source: ward.SourceCoin, commit: outAtOnce},
		{name: "honest silence", source: ward.SourceCoin, commit: outAtOnce, fail: draw.ContactSilent},
		{name: "honest refusal", source: ward.SourceCoin, fail: draw.ContactRefused},
		{name: "silent before its time", word: "called silent", source: ward.SourceCoin, fail: draw.ContactSilent},
		{name: "a refusal after its time", word: "refusal was sealed after", source: ward.SourceCoin, commit: outAtOnce, fail: draw.ContactRefused},
		{name: "no beacon before its round", word: "called missing", source: ward.SourceDrand, fail: draw.NoBeacon},
		{name: "refused to a beacon", word: "source of this draw", source: ward.SourceDrand, fail: draw.ContactRefused},
		{name: "no beacon of a coin", word: "source of this draw", source: ward.SourceCoin, fail: draw.NoBeacon},
		{name: "another step before", word: "follow each other", source: ward.SourceCoin, order: func(m map[string]any) { m["prev"] = strings.Repeat("0", 64) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, teststore.SQLite(t))
			b := r.dishonest(rule(c.source), orNot(c.commit), orNot(c.result), orNot(c.order), c.fail)
			rep := draw.Verify(b, r.options())
			if c.word == "" {
				want := ward.DrawOrdered
				if c.fail != "" {
					want = ward.DrawFailed
				}
				if !rep.OK() || rep.State != want {
					t.Errorf("%s: %+v", rep.State, rep.Failures)
				}
				return
			}
			wants(t, rep, c.word)
		})
	}
}

func in(m map[string]any, path ...string) map[string]any {
	for _, p := range path {
		m = m[p].(map[string]any)
	}
	return m
}

// outAtOnce has the time to answer end a nanosecond after the commitment.
func outAtOnce(m map[string]any) {
	at, err := time.Parse(time.RFC3339Nano, m["at"].(string))
	if err != nil {
		panic(err)
	}
	in(m, "source", "coin")["until"] = at.Add(time.Nanosecond)
}

func stratum(m map[string]any) []any {
	return m["strata"].([]any)[0].(map[string]any)["candidates"].([]any)
}

func orNot(f func(map[string]any)) func(map[string]any) {
	if f == nil {
		return func(map[string]any) {}
	}
	return f
}

// dishonest makes an honest draw, and seals its steps anew, changed, as a
// second draw, which ends with fail when it is not empty.
func (r *rig) dishonest(o rounds.DrawOrder, commit, result, order func(map[string]any), fail draw.FailReason) []byte {
	r.t.Helper()
	if fail != "" {
		r.drawer.Margin = 10 * time.Minute // the round does not come out meanwhile
	}
	ctx := r.t.Context()
	first := r.view(r.commit(o)).Commitment
	var c draw.Commitment
	var secret [32]byte
	first.SecretSHA256 = sumOfZero
	d, err := r.store.CommitDraw(ctx, storage.NewDraw{
		InstitutionID: "h-2", Source: o.Source, By: chief.ID, Secret: secret,
		Record: func(d ward.Draw, _ *ward.Draw) (any, time.Time, error) {
			c = first
			c.Head = draw.Head{Draw: d.ID, Seq: 1, Step: ward.StepCommit, At: d.Committed}
			c.Institution = "h-2"
			if c.Source.Drand != nil {
				v := *c.Source.Drand
				v.Round = v.Chain.RoundAt(d.Committed.Add(r.drawer.Margin))
				c.Source.Drand = &v
			}
			m := edit(c)
			commit(m)
			return m, time.Time{}, nil
		},
	})
	r.ok(err)
	var made draw.Result
	step := func(kind ward.DrawStepKind, record func(steps []storage.SealedStep, h draw.Head) map[string]any) {
		_, err := r.store.StepDraw(ctx, storage.DrawChange{ID: d.ID, Kind: kind, Record: func(_ ward.Draw, steps []storage.SealedStep, now time.Time) (any, error) {
			return record(steps, draw.Head{Draw: d.ID, Seq: int64(len(steps)) + 1, Step: kind, Prev: draw.SumOf(steps[len(steps)-1].Body), At: now}), nil
		}})
		r.ok(err)
	}
	if fail != "" {
		step(ward.StepFail, func(_ []storage.SealedStep, h draw.Head) map[string]any {
			return edit(draw.End{Head: h, Why: fail, Reason: "不同意", Secret: hex.EncodeToString(secret[:])})
		})
		return r.proof(d.ID)
	}
	if c.Source.Drand != nil {
		<-time.After(time.Until(c.Source.Drand.Chain.TimeOf(c.Source.Drand.Round)))
	}
	step(ward.StepResult, func(steps []storage.SealedStep, h draw.Head) map[string]any {
		v, coin := (*draw.DrandValue)(nil), &draw.CoinValue{By: contact.ID, Value: strings.Repeat("5a", 32)}
		if c.Source.Drand != nil {
			v, coin = &draw.DrandValue{Signature: hex.EncodeToString(r.beacon.Sign(c.Source.Drand.Round))}, nil
		}
		var err error
		made, err = c.Conclude(steps[0].Body, v, coin, secret)
		r.ok(err)
		made.Head = h
		m := edit(made)
		result(m)
		return m
	})
	step(ward.StepOrder, func(_ []storage.SealedStep, h draw.Head) map[string]any {
		m := edit(draw.Order{Head: h, By: made.Inspectors[0], Round: "r-1", Admissions: made.All(), Inspectors: made.Inspectors, LeftOut: []draw.LeftOut{}})
		order(m)
		return m
	})
	return r.proof(d.ID)
}

const sumOfZero = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"

// FuzzVerify: no proof makes the verifier panic, and none but the real one verifies.
func FuzzVerify(f *testing.F) {
	r := newRig(f, teststore.SQLite(f))
	d := r.commit(rule(ward.SourceCoin))
	_, err := r.drawer.Answer(f.Context(), contact, d.ID, rounds.Flip{Commitment: d.Commitment, Value: strings.Repeat("5a", 32)})
	r.ok(err)
	good, o := r.proof(d.ID), r.options()
	if rep := draw.Verify(good, o); !rep.OK() {
		f.Fatalf("%+v", rep.Failures)
	}
	for _, seed := range [][]byte{good, nil, []byte("{}"), []byte(`{"format":"wardwatch-draw-proof/1","steps":[{}]}`), good[:len(good)/2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rep := draw.Verify(b, o)
		if rep.OK() && string(b) != string(good) {
			t.Errorf("another proof verifies: %.200q", b)
		}
		if err := draw.Print(discard{}, rep); err != nil {
			t.Error(err)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, errors.New("nothing printed")
	}
	return len(p), nil
}
