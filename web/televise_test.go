package web_test

import (
	"context"
	"net/netip"
	"regexp"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/teststore"
	"wardwatch/ward"
)

// televise lets a simulated camera be watched until the test ends. Its fleet
// has a catalogue of its own: the world's other cameras are nowhere.
func (w *world) televise() {
	w.t.Helper()
	sim := testcam.Play(w.t, simcam.Camera{Path: "1", User: "u", Password: "secret-password"})
	w.shown = w.newCamera()
	w.shown.URL = sim.URL("1")
	must(w.t, w.store.UpdateCamera(w.t.Context(), w.shown))
	w.shown = get(w.t, w.store.Camera, w.shown.ID)
	store := teststore.SQLite(w.t)
	must(w.t, store.PutInstitution(w.t.Context(), ward.Institution{ID: own, Name: "Hospital"}))
	must(w.t, store.PutPlace(w.t.Context(), w.place))
	must(w.t, store.AddCamera(w.t.Context(), w.shown))
	w.web.Fleet = &ingest.Fleet{Store: store, Spool: w.spool, Log: w.web.Log, Guard: &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	w.web.Live = &ingest.LiveView{Fleet: w.web.Fleet}
	w.web.WHEP = &ingest.WHEP{API: loopback()}
	w.offer = newWatcher(w.t).offer(w.t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.web.Fleet.Run(ctx) }()
	w.t.Cleanup(func() {
		w.web.EndViews()
		stop()
		must(w.t, <-ended)
	})
	for end := time.Now().Add(30 * time.Second); w.web.Fleet.State(w.shown.ID).Condition != ingest.Live; <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatal("the simulated camera is not live")
		}
	}
}

var liveInit = regexp.MustCompile(`EXT-X-MAP:URI="live/([^"]+)"`)

// liveFile names a piece of the shown camera's live playlist.
func (w *world) liveFile() string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	list, _, err := w.web.Live.Playlist(ctx, w.shown, false, "live/", ingest.HLS{Segment: -1, Part: -1})
	must(w.t, err)
	m := liveInit.FindSubmatch(list)
	if m == nil {
		w.t.Fatalf("no piece in %s", list)
	}
	return string(m[1])
}
