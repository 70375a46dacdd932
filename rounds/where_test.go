package rounds_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

var house = ward.GeoPoint{Lat: 31.2001, Lon: 121.4001}

// settle asks for every check of place, and has the bedside show its codes;
// the wristband carries the number of the account.
func (r *rig) settle() {
	r.t.Helper()
	site := r.sited(ward.Site{
		Fence: &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200}, Networks: []string{"10.0.0.0/8"}, WardCode: true, BedCode: true,
	})
	key, err := r.store.WardKey(r.t.Context(), site, "内一")
	if err != nil {
		r.t.Fatal(err)
	}
	now := time.Now()
	told := ward.AdmissionEvent{Kind: ward.UpdateEvent, Sender: "his", ControlID: "account", Visit: string(r.stay), Numbers: []string{"ACC-77"}, Recorded: now, At: now, Precision: ward.ToTheSecond}
	if _, err := r.store.ApplyAdmissionEvents(r.t.Context(), r.inst, []ward.AdmissionEvent{told}, false); err != nil {
		r.t.Fatal(err)
	}
	r.hold = func(command string) (string, bool) {
		if command == "show_bed_code" {
			return "acc-77", true
		}
		return key.Code(ward.CodeStepAt(time.Now())), false
	}
}

func (r *rig) sited(v ward.Site) ward.Site {
	r.t.Helper()
	v.InstitutionID, v.Reason, v.By = r.inst, "试行", inspector.ID
	got, err := r.store.SetSite(r.t.Context(), v, false)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// unplaced are the checks of place that did not end as settle makes them.
func (r *rig) unplaced(id ward.VisitID) (wrong []ward.CheckKind) {
	for _, k := range ward.PlaceChecks() {
		want := ward.Pass
		if k == ward.CheckNetwork {
			want = ward.NotDone // the test's own address is the server's
		}
		if r.check(id, k) != want {
			wrong = append(wrong, k)
		}
	}
	return wrong
}

func TestWhereIsJudgedAndForgotten(t *testing.T) {
	t.Parallel()
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		r := rigOn(t, s, nil)
		r.admit("", 0)
		r.sited(ward.Site{Fence: &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200}, Networks: []string{"10.0.0.0/8"}})
		link := r.order(time.Hour)
		device, notice, _, err := r.engine.Open(t.Context(), link.Token)
		if err != nil || !notice.Position || notice.Codes {
			t.Fatalf("%+v, %v", notice, err)
		}
		far := rounds.Whereabouts{State: ward.PositionGiven, Fix: ward.Fix{At: ward.GeoPoint{Lat: 31.23456, Lon: 121.4}, Accuracy: 15}, Addr: netip.MustParseAddr("203.0.113.9")}
		if err := r.engine.Where(t.Context(), device, far); ward.KindOf(err) != ward.Conflict {
			t.Errorf("before the consent: %v", err)
		}
		if err := r.engine.Consent(t.Context(), device, true); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for range 12 { // more than are taken, at once
			wg.Go(func() {
				err := r.engine.Where(t.Context(), device, far)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					taken++
				} else if !errors.Is(err, &ward.Error{Code: "visit.state"}) {
					t.Errorf("one too many: %v", err)
				}
			})
		}
		wg.Wait()
		story := r.story(link.Visit.ID)
		if taken != 6 || strings.Count(story, "where {") != 6 {
			t.Errorf("%d reports were taken\n%s", taken, story)
		}
		if !strings.Contains(story, `"band_m":10000`) || !strings.Contains(story, `"network":"fail"`) || !strings.Contains(story, `"position":"outside"`) {
			t.Errorf("not judged:\n%s", story)
		}
		if strings.Contains(story, "31.2") || strings.Contains(story, "203.0") {
			t.Errorf("the place itself was kept:\n%s", story)
		}
	})
}
