package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestWhoIsSeenAroundABill: somebody seen within a minute of it counts, for
// however long they stayed, up to the longest that a sighting may be.
func TestWhoIsSeenAroundABill(t *testing.T) {
	const longest = storage.MaxSighting
	for _, tc := range []struct {
		name              string
		kind              ward.SightingKind
		from, to          time.Duration // from the bill
		watched           bool          // the whole time
		unseen, unwatched int
	}{
		{"nobody, watched", "", 0, 0, true, 1, 0},
		{"nobody, not watched", "", 0, 0, false, 0, 1},
		{"just before", ward.PeopleSeen, -2 * time.Minute, -time.Minute, true, 0, 0},
		{"too long before", ward.PeopleSeen, -2 * time.Minute, -time.Minute - time.Microsecond, true, 1, 0},
		{"a face that comes a minute later and stays as long as can be", ward.FaceSeen, time.Minute, time.Minute + longest, true, 0, 0},
		{"people who come a minute later and stay as long as can be", ward.PeopleSeen, time.Minute, time.Minute + longest, true, 0, 0},
		{"too late", ward.PeopleSeen, time.Minute + time.Microsecond, time.Minute + longest, true, 1, 0},
		{"there as long as can be before", ward.PeopleSeen, -time.Minute - longest, -time.Minute, true, 0, 0},
		{"the staff", ward.StaffSeen, -time.Minute, time.Minute, true, 1, 0},
		{"watched from then on as long as can be", ward.Watched, 0, longest, false, 1, 0},
		{"watched from after it", ward.Watched, time.Microsecond, longest, false, 0, 1},
		{"watched until before it", ward.Watched, -longest, -time.Microsecond, false, 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := teststore.SQLite(t)
			counter(t, s)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			now := time.Now().UTC().Truncate(time.Second)
			when := now.Add(-3*longest - time.Hour)
			must(s.AddAdmission(t.Context(), ward.Admission{ID: "a1", InstitutionID: "h1", InsuredID: "i1", Ward: "内科", Bed: "1", From: when.Add(-time.Hour)}))
			v, _, err := s.AddSettlement(t.Context(), bill("v", when))
			must(err)
			see := func(id ward.SightingID, kind ward.SightingKind, from, to time.Duration) {
				t.Helper()
				must(s.PutSighting(t.Context(), ward.Sighting{
					ID: id, CameraID: "c1", PlaceID: v.PlaceID, InstitutionID: "h1", Kind: kind, From: v.At.Add(from), To: v.At.Add(to), Count: 1, Score: .9, Box: ward.Box{W: .1, H: .1},
				}))
			}
			if tc.watched {
				see("w", ward.Watched, -time.Minute, time.Minute)
			}
			if tc.kind != "" {
				see("x", tc.kind, tc.from, tc.to)
			}
			facts, err := s.RiskFacts(t.Context(), "h1", nil, now)
			must(err)
			if f, ok := facts["a1"]; !ok || f.Unseen != tc.unseen || f.Unwatched != tc.unwatched {
				t.Errorf("got %+v, want %d not seen, %d not watched", f, tc.unseen, tc.unwatched)
			}
		})
	}
}
