package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// tabletLife is how long browsers keep a tablet's secret after its last report, at most.
	tabletLife = 400 * 24 * time.Hour
	// testRings is how long a ring test may wait for its tablet.
	testRings = time.Minute
	// gather lets the events of one order become one message to a tablet.
	gather = 150 * time.Millisecond
)

// Kiosk is everything that a tablet shows, so that a message that was lost is made good by the next.
type Kiosk struct {
	Name        string         `json:"name"`
	Institution string         `json:"institution"`
	Ward        string         `json:"ward"`
	Bed         string         `json:"bed"`
	Rings       []storage.Ring `json:"rings" doc:"Visits that nobody has opened yet; to be acknowledged, each"`
	Busy        bool           `json:"busy" doc:"A visit that this tablet opened is not over"`
	Resume      ward.VisitID   `json:"resume,omitempty" doc:"That visit, while it may be opened here again: after a restart of the tablet"`
	WardCode    bool           `json:"ward_code" doc:"The ward's code is to be shown: GET /api/v1/tablet/ward-code every few seconds"`
	Calls       []KioskCall    `json:"calls" doc:"Patients of treatment sessions who are called for"`
	Test        time.Time      `json:"test,omitzero" doc:"A ring test that was asked then and not acknowledged"`
}

// KioskPairing is what somebody types or scans.
type KioskPairing struct {
	Code string `json:"code" minLength:"8" maxLength:"20"`
}

type kioskPaired struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Kiosk
}

type kioskTest struct {
	Asked time.Time `json:"asked" doc:"Test of the message that is acknowledged"`
}

// KioskReceipt is a tablet's receipt of a ring.
type KioskReceipt struct {
	Aloud bool `json:"aloud" doc:"It rings aloud; else the browser does not allow sound yet"`
}

type kioskReceiptInput struct {
	VisitPath
	Body KioskReceipt
}

func (s *Server) kioskRoutes(r *routes) {
	tags := []string{"tablet"}
	add(r, anyone(), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablet/pair", OperationID: "pairTablet", Summary: "Use a pairing code up; the tablet's secret is set as a cookie", Tags: tags}, s.pairTablet)
	add(r, wardTablet(), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablet/report", OperationID: "reportTablet", Summary: "What the tablet says of itself; at least every 20 s", Tags: tags}, s.reportTablet)
	add(r, wardTablet(), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablet/rang", OperationID: "tabletRang", Summary: "Receipt of a ring test", Tags: tags, DefaultStatus: http.StatusNoContent}, s.tabletRang)
	add(r, wardTablet(), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablet/visits/{id}/received", OperationID: "tabletReceived", Summary: "Receipt of a ring", Tags: tags, DefaultStatus: http.StatusNoContent}, s.tabletReceived)
	add(r, wardTablet(), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablet/visits/{id}/open", OperationID: "tabletOpen", Summary: "Answer a ring: opens the visit on this tablet", Tags: tags}, s.tabletOpen)
	op := huma.Operation{Method: http.MethodGet, Path: v1 + "/tablet/events", OperationID: "tabletEvents", Summary: "What the tablet shows, as server-sent events; each message is a whole Kiosk", Tags: tags}
	op.Responses = map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {}}}}
	add(r, wardTablet(), op, s.tabletEvents)
	s.kioskTreatmentRoutes(r)
}

func tabletCookie(secure bool) string {
	if secure {
		return "__Host-wardwatch-tablet"
	}
	return "wardwatch-tablet"
}

func (s *Server) tabletOf(r *http.Request) (ward.Tablet, error) {
	c, err := r.Cookie(tabletCookie(s.secure(r)))
	if err != nil || c.Value == "" {
		return ward.Tablet{}, newProblem(http.StatusUnauthorized, "tablet.pair", "请先输入配对码。", "Pair this tablet first.")
	}
	hash := storage.HashToken(c.Value)
	return s.Store.TabletBySecret(r.Context(), hash[:])
}

// tabletOn is the tablet of a request, checked by the route's policy.
func tabletOn(ctx context.Context) ward.Tablet {
	t, _ := ctx.Value(tabletKey{}).(ward.Tablet)
	return t
}

func (s *Server) pairTablet(ctx context.Context, in *body[KioskPairing]) (*kioskPaired, error) {
	if !s.pairings.allow(clientOf(ctx).addr) {
		return nil, tooMany()
	}
	token, hash := storage.NewToken()
	v, err := s.Store.PairTablet(ctx, codeHash(in.Body.Code), hash[:])
	if err != nil {
		return nil, err
	}
	s.Log.InfoContext(ctx, "tablet paired", "tablet", v.ID, "institution", v.InstitutionID)
	s.tellTablet(v)
	k, err := s.kiosk(ctx, v)
	cookie := http.Cookie{
		Name: tabletCookie(clientOf(ctx).tls), Value: token, Path: "/", MaxAge: int(tabletLife.Seconds()),
		Secure: clientOf(ctx).tls, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	return &kioskPaired{cookie, k}, err
}

// kiosk is what v shows now. What it is told of is noted first.
func (s *Server) kiosk(ctx context.Context, v ward.Tablet) (Kiosk, error) {
	now := s.now()
	inst, err := s.Store.Institution(ctx, v.InstitutionID)
	if err != nil {
		return Kiosk{}, err
	}
	k := Kiosk{Name: v.Name, Institution: inst.Name, Ward: v.Ward, Bed: v.Bed}
	site, err := s.Store.Site(ctx, v.InstitutionID)
	if err != nil {
		return k, err
	}
	k.WardCode = site.WardCode
	busy, err := s.Store.TabletVisit(ctx, v.ID)
	if err != nil {
		return k, err
	}
	switch busy.State {
	case ward.VisitOpened, ward.VisitConsented:
		k.Busy, k.Resume = true, busy.ID
	case ward.VisitChecking:
		k.Busy = true
	case ward.VisitDeciding: // an inspector may still talk
		if s.Rounds != nil {
			_, k.Busy = s.Rounds.Stream(busy.ID)
		}
	case ward.VisitOrdered, ward.VisitSealed:
	}
	if v.Asked.After(v.Rang) && now.Sub(v.Asked) < testRings {
		k.Test = v.Asked
	}
	if k.Calls, err = s.kioskCalls(ctx, v); err != nil {
		return k, err
	}
	k.Rings, err = s.Store.Rings(ctx, v, now)
	k.Rings = list(k.Rings)
	for _, r := range k.Rings {
		if r.New {
			s.Hub.Notify(string(VisitEvent), string(r.VisitID), v.InstitutionID)
		}
	}
	return k, err
}

func (s *Server) reportTablet(ctx context.Context, in *body[ward.TabletReport]) (*body[Kiosk], error) {
	v, err := s.Store.ReportTablet(ctx, tabletOn(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	if was := tabletOn(ctx); was.Lost(s.now()) || was.Sound != v.Sound {
		s.tellTablet(v)
	}
	return answer(s.kiosk(ctx, v))
}

func (s *Server) tabletRang(ctx context.Context, in *body[kioskTest]) (*empty, error) {
	v, err := s.Store.TabletRang(ctx, tabletOn(ctx).ID, in.Body.Asked)
	if err == nil {
		s.tellTablet(v)
	}
	return &empty{}, err
}

func (s *Server) tabletReceived(ctx context.Context, in *kioskReceiptInput) (*empty, error) {
	v := tabletOn(ctx)
	first, err := s.Store.Received(ctx, in.ID, v.ID, in.Body.Aloud)
	if first {
		s.Hub.Notify(string(VisitEvent), string(in.ID), v.InstitutionID)
	}
	return &empty{}, err
}

func (s *Server) tabletOpen(ctx context.Context, in *VisitPath) (*body[BedsideOpened], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	device, notice, deadline, err := e.OpenOn(ctx, tabletOn(ctx), in.ID)
	return answer(BedsideOpened{device, notice, deadline.UTC()}, err)
}

func (s *Server) tabletEvents(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w := patient(humaecho.Unwrap(hc).Response())
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		s.showTablet(ctx, w, tabletOn(ctx))
	}}, nil
}

// showTablet writes what the tablet shows: at once, when something of its
// institution changes, and at every beat, so that a silent line is noticed on
// both sides. It ends when the tablet is revoked or paired elsewhere.
func (s *Server) showTablet(ctx context.Context, w http.ResponseWriter, v ward.Tablet) {
	h := s.Hub.listen("")
	defer h.stop()
	beat := time.NewTicker(s.heartbeat())
	defer beat.Stop()
	soon := time.NewTimer(0)
	defer soon.Stop()
	var shown []byte
	show := func(always bool) bool {
		now, err := s.Store.Tablet(ctx, v.ID)
		if err != nil || !now.Revoked.IsZero() || !now.Paired.Equal(v.Paired) {
			return false
		}
		k, err := s.kiosk(ctx, now)
		if err != nil {
			return false
		}
		b, err := json.Marshal(k)
		if err != nil || !always && bytes.Equal(b, shown) {
			return err == nil
		}
		shown = b
		_, err = fmt.Fprintf(w, "data: %s\n\n", b)
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-h.events:
			if !ok {
				return // it connects again
			}
			if e.Kind == VisitEvent && e.InstitutionID == v.InstitutionID || e.Kind == TabletEvent && e.ID == string(v.ID) {
				soon.Reset(gather)
			}
		case <-soon.C:
			if !show(shown == nil) {
				return
			}
		case <-beat.C:
			if !show(true) {
				return
			}
		}
	}
}
