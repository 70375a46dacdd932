package storage_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

func shared(t *testing.T, w *testcase.World, c ward.Case, link string) ward.Share {
	t.Helper()
	v, err := w.Store.AddShare(t.Context(), ward.Share{CaseID: c.ID, Party: ward.Party{Name: "王法官", Office: "某区人民法院"}, Reason: "调取证据", Expires: time.Now().Add(24 * time.Hour)},
		hash(link), hash(link+" code"), w.By)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestShareBelongsToOneDevice(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		v := shared(t, w, withCase(t, w), "link")
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = w.Store.OpenShare(ctx, hash("link"), hash("link code"), hash(string(rune('a'+i))))
			})
		}
		wg.Wait()
		won := slices.IndexFunc(errs, func(err error) bool { return err == nil })
		for i, err := range errs {
			if i != won && !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "share.device"}) {
				t.Errorf("device %d of %d that won: %v", i, won, err)
			}
		}
		device := hash(string(rune('a' + won)))
		got, err := w.Store.ShareByDevice(ctx, device, time.Now())
		if err != nil || got.ID != v.ID || got.Party != v.Party || got.Opened.IsZero() {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := w.Store.ShareByDevice(ctx, device, v.Expires); !errors.Is(err, &ward.Error{Kind: ward.Forbidden, Code: "share.over"}) {
			t.Errorf("expired: %v", err)
		}
		if _, err := w.Store.RevokeShare(ctx, v.ID, "误发", w.By); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.ShareByDevice(ctx, device, time.Now()); !errors.Is(err, &ward.Error{Code: "share.over"}) {
			t.Errorf("revoked: %v", err)
		}
	})
}

func TestWrongCodesCloseAShare(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		v := shared(t, w, withCase(t, w), "link")
		for range ward.ShareTries {
			if _, err := w.Store.OpenShare(t.Context(), hash("link"), hash("wrong"), hash("d")); !errors.Is(err, &ward.Error{Code: "share.code"}) {
				t.Fatalf("a wrong code: %v", err)
			}
		}
		if _, err := w.Store.OpenShare(t.Context(), hash("link"), hash("link code"), hash("d")); !errors.Is(err, &ward.Error{Code: "share.over"}) {
			t.Errorf("the right code after that: %v", err)
		}
		if got, err := w.Store.Share(t.Context(), v.ID); err != nil || got.Revoked.IsZero() || got.RevokedBy != "" {
			t.Errorf("got %+v, %v", got, err)
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("got %+v", r.Problems)
		}
	})
}

func TestShareLeavesReceiptsThatFsckChecks(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		v := shared(t, w, c, "link")
		if _, err := w.Store.OpenShare(ctx, hash("link"), hash("link code"), hash("d")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.Confirm(ctx, v.ID, 1, "王"); !errors.Is(err, &ward.Error{Code: "share.delivery"}) {
			t.Errorf("a receipt for nothing: %v", err)
		}
		x, err := w.Store.BeginExport(ctx, ward.Custody{CaseID: c.ID, Actor: v.Actor().ID, Role: ward.Recipient, Object: "package/1"})
		if err == nil {
			x, err = w.Store.FreezeExport(ctx, x, 7, []byte("parts"))
		}
		for range 2 { // delivered once
			if err = errors.Join(err, w.Store.ExportWhole(ctx, x, v.ID, [32]byte(hash("zip")))); err != nil {
				t.Fatal(err)
			}
		}
		got, err := w.Store.Confirm(ctx, v.ID, 1, "王法官")
		if err != nil || len(got.Deliveries) != 1 || got.Deliveries[0].By != "王法官" || got.Deliveries[0].Bytes != 7 || got.Deliveries[0].Confirmed.IsZero() {
			t.Fatalf("got %+v, %v", got, err)
		}
		if _, err := w.Store.Confirm(ctx, v.ID, 1, "李"); !errors.Is(err, &ward.Error{Code: "share.confirmed"}) {
			t.Errorf("a second receipt: %v", err)
		}
		events, err := w.Store.Custody(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var did []ward.Action
		for _, e := range events {
			if e.Object == "share/"+string(v.ID) {
				did = append(did, e.Action)
			}
			if r, err := w.Store.Sealed(ctx, e.Leaf); err != nil || strings.Contains(string(r.Body), "王法官") {
				t.Errorf("the name is in the ledger's record of event %d (%v)", e.Seq, err)
			}
		}
		if want := []ward.Action{ward.ActionShare, ward.ActionOpened, ward.ActionHandOver, ward.ActionReceipt}; !slices.Equal(did, want) {
			t.Errorf("custody %v, want %v", did, want)
		}
		if r := check(t, w); !r.OK() {
			t.Fatalf("got %+v", r.Problems)
		}
		row, name := "id = '"+string(v.ID)+"'", "share/"+string(v.ID)
		for _, c := range []struct {
			table, column, row string
			change             func(any) any
		}{
			{"share", "expires_us", row, plus},
			{"share", "created_by", row, to("u9")},
			{"share", "party", row, flip},
			{"share", "opened_us", row, to(0)},
			{"share", "revoked_us", row, to(1)},
			{"share_delivery", "sha256", "share_" + row, flip},
			{"share_delivery", "confirmed_us", "share_" + row, to(0)},
		} {
			if named := cell(t, w, c.table, c.column, c.row, c.change); !slices.Contains(named, name) {
				t.Errorf("%s.%s changed: fsck names %v", c.table, c.column, named)
			}
		}
		w.Exec(`DELETE FROM share_delivery`)
		w.Exec(`DELETE FROM share`)
		if named := where(check(t, w)); !slices.Contains(named, name) {
			t.Errorf("the share is gone: fsck names %v", named)
		}
	})
}

func TestShareTerms(t *testing.T) {
	now := time.Now()
	good := ward.Share{Party: ward.Party{Name: "王", Office: "法院"}, Reason: "调取", Expires: now.Add(time.Hour)}
	for code, change := range map[string]func(*ward.Share){
		"":              func(*ward.Share) {},
		"share.party":   func(v *ward.Share) { v.Party.Name = " " },
		"share.reason":  func(v *ward.Share) { v.Reason = strings.Repeat("长", 501) },
		"share.expires": func(v *ward.Share) { v.Expires = now.Add(31 * 24 * time.Hour) },
	} {
		v := good
		change(&v)
		if err := v.Check(now); (code == "") != (err == nil) || code != "" && !errors.Is(err, &ward.Error{Code: code}) {
			t.Errorf("%q: %v", code, err)
		}
	}
}
