package web_test

import (
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

// tablet is a new paired tablet at the bed of w.stay, and its secret.
func (w *world) tablet() (ward.Tablet, string) {
	w.t.Helper()
	code, secret := storage.HashToken(ward.NewID[string](time.Now())), ward.NewID[string](time.Now())
	_, err := w.store.AddTablet(w.t.Context(), ward.Tablet{InstitutionID: own, Ward: w.stay.Ward, Bed: w.stay.Bed, Name: "三床", RegisteredBy: "u"}, code[:])
	must(w.t, err)
	hash := storage.HashToken(secret)
	v, err := w.store.PairTablet(w.t.Context(), code[:], hash[:])
	must(w.t, err)
	return v, secret
}

// pairingCode is the code of a new tablet that nobody has paired.
func (w *world) pairingCode() string {
	w.t.Helper()
	code := web.NewPairingCode()
	_, err := w.store.AddTablet(w.t.Context(), ward.Tablet{InstitutionID: own, Ward: w.stay.Ward, Name: "病区", RegisteredBy: "u"}, web.CodeHash(code))
	must(w.t, err)
	return code
}

// asked is when the actor "tablet" was asked to ring just now.
func (w *world) asked() time.Time {
	w.t.Helper()
	if w.tabletSecret == "" {
		return time.Now() // nobody gets as far as that
	}
	hash := storage.HashToken(w.tabletSecret)
	v := get(w.t, w.store.TabletBySecret, hash[:])
	return get(w.t, w.store.AskTablet, v.ID).Asked
}

// planSpec is a round of w.stay's ward that starts in an hour.
func (w *world) planSpec() ward.PlanSpec {
	return ward.PlanSpec{Reason: "突击查房", Ward: w.stay.Ward, Method: ward.ByHand, DeadlineMinutes: 30, Start: time.Now().Add(time.Hour).UTC()}
}

// plan is a new plan of an inspector; old ones go, since there is a limit.
func (w *world) plan() ward.Plan {
	w.t.Helper()
	for _, p := range get(w.t, w.store.Plans, []ward.InstitutionID(nil)) {
		if p.State == ward.PlanActive {
			must(w.t, w.store.CancelPlan(w.t.Context(), p.ID))
		}
	}
	p, err := w.web.Planner.Add(w.t.Context(), w.user(ward.Inspector, "own"), own, w.planSpec())
	must(w.t, err)
	return p
}

// site is the institution's newest, with ward codes and a network.
func (w *world) site() ward.Site {
	w.t.Helper()
	v := get(w.t, w.store.Site, own)
	if v.WardCode {
		return v
	}
	v.WardCode, v.Networks, v.Reason = true, []string{"10.0.0.0/8"}, "试行"
	v, err := w.store.SetSite(w.t.Context(), v, false)
	must(w.t, err)
	return v
}
