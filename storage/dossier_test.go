package storage_test

import (
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

func TestDossier(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		bill, err := w.Store.Settlement(ctx, w.Settlement)
		if err != nil {
			t.Fatal(err)
		}
		person := ward.CaseSubject{Kind: ward.PersonSubject, Ref: string(bill.InsuredID)}
		for _, of := range []ward.CaseSubject{person, {Kind: ward.InstitutionSubject, Ref: "h1"}, {Kind: ward.PhysicianSubject, Ref: "d-1"}} {
			for _, insts := range [][]ward.InstitutionID{nil, {"h1"}} {
				all, err := w.Store.Dossier(ctx, of, insts, ward.DossierCursor{}, 50)
				if err != nil {
					t.Fatal(err)
				}
				found := map[string]bool{}
				for _, e := range all {
					found[e.ID] = true
				}
				if want := of.Kind != ward.PhysicianSubject; found[string(c.ID)] != want || found[string(w.Alert)] != want || found[string(w.Settlement)] != want {
					t.Errorf("%s in %v: got %+v", of.Kind, insts, all)
				}
				var after ward.DossierCursor
				for i, e := range all {
					one, err := w.Store.Dossier(ctx, of, insts, after, 1)
					if err != nil || len(one) != 1 || one[0] != e {
						t.Fatalf("%s: entry %d is %+v, %v; want %+v", of.Kind, i, one, err, e)
					}
					after = ward.DossierCursor{At: e.At, ID: e.ID}
				}
			}
			if none, err := w.Store.Dossier(ctx, of, []ward.InstitutionID{"h-other"}, ward.DossierCursor{}, 50); err != nil || len(none) != 0 {
				t.Errorf("%s elsewhere: got %+v, %v", of.Kind, none, err)
			}
		}
	})
}
