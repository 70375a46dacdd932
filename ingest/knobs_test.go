package ingest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// odd is a camera with a fault that must not cost a second of pictures.
type odd struct {
	id        ward.CameraID
	faults    simcam.Faults
	transport ward.Transport
	login     bool
	clip      *simcam.Clip
	event     ward.RecordingEventKind // that must be stored; empty: none may be
	clock     bool                    // media time must agree with the server's in the end
}

func oddities(loud, aac, silly, jpeg *simcam.Clip) []odd {
	short := 4 * time.Second
	return []odd{
		{id: "keep-alive", faults: simcam.Faults{SessionTimeout: short}, clock: true},
		{id: "keep-454", faults: simcam.Faults{SessionTimeout: short, GetParameter: 454}},
		{id: "keep-405", faults: simcam.Faults{SessionTimeout: short, GetParameter: 405}},
		{id: "keep-501", faults: simcam.Faults{SessionTimeout: short, GetParameter: 501}, transport: ward.TransportUDP},
		{id: "digest", login: true},
		{id: "basic", login: true, faults: simcam.Faults{Auth: "basic", SessionTimeout: short}},
		{id: "sha256", login: true, faults: simcam.Faults{Auth: "sha256"}, transport: ward.TransportAuto},
		{id: "udp", transport: ward.TransportUDP, clock: true},
		{id: "udp-lost", faults: simcam.Faults{Transport: "udp_lost"}, transport: ward.TransportAuto, event: ward.OverTCP},
		{id: "tcp-only", faults: simcam.Faults{Transport: "tcp_only"}, transport: ward.TransportAuto, event: ward.OverTCP},
		{id: "udp-only", faults: simcam.Faults{Transport: "udp_only"}, transport: ward.TransportAuto},
		{id: "disorder", faults: simcam.Faults{Reorder: 5, Duplicate: 5}, transport: ward.TransportUDP, clock: true},
		{id: "ssrc", faults: simcam.Faults{NewSSRC: 3 * time.Second}, event: ward.SenderChanged, clock: true},
		{id: "payload-type", faults: simcam.Faults{NewPayloadType: 3 * time.Second}, event: ward.SenderChanged, clock: true},
		{id: "constant", faults: simcam.Faults{RTPTime: "constant"}, event: ward.ClockJump, clock: true},
		{id: "jumping", faults: simcam.Faults{RTPTime: "jumping"}, event: ward.ClockJump, clock: true},
		{id: "backwards", faults: simcam.Faults{RTPTime: "backwards"}, event: ward.ClockJump, clock: true},
		{id: "slow-clock", faults: simcam.Faults{RTPRate: 1000}, event: ward.ClockJump, clock: true},
		{id: "fast-clock", faults: simcam.Faults{RTPRate: 1e6}, event: ward.ClockJump, clock: true},
		{id: "fps", faults: simcam.Faults{RealFPS: 4}, clock: true},
		{id: "sound", clip: loud},
		{id: "no-sound", clip: loud, faults: simcam.Faults{Audio: "silent"}},
		{id: "sdp", clip: loud, faults: simcam.Faults{Audio: "bad_sdp"}}, // the payload type says enough
		{id: "aac-sdp", clip: aac, faults: simcam.Faults{Audio: "bad_sdp"}, event: ward.AudioDropped},
		{id: "aac-noise", clip: aac, faults: simcam.Faults{Audio: "garbage"}, event: ward.AudioDropped},
		{id: "g726", clip: silly, event: ward.AudioDropped},
		{id: "jpeg", clip: jpeg, clock: true},
	}
}

// Whatever a camera does wrong that leaves its pictures whole, they are
// recorded in one session, and what is odd is an event.
func TestNoKnobCostsAPicture(t *testing.T) {
	t.Parallel()
	all := oddities(testcam.FilmWith(t, ward.PCMU),
		testcam.FilmWith(t, ward.NoCodec, "-f", "lavfi", "-i", "sine=f=300:r=48000:d=4", "-c:a", "aac", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "10"),
		testcam.FilmWith(t, "g726"), testcam.FilmWith(t, ward.NoCodec, "-c:v", "mjpeg", "-q:v", "8"))
	var cameras []simcam.Camera
	for _, o := range all {
		c := simcam.Camera{Path: string(o.id), Clip: o.clip, Faults: o.faults}
		if o.login {
			c.User, c.Password = "admin", "hunter2"
		}
		cameras = append(cameras, c)
	}
	sim := testcam.Play(t, cameras...)
	r := newRig(t, func(f *ingest.Fleet) { f.PerDevice, f.Stall = 100, 3*time.Second })
	for _, o := range all {
		c := camera(o.id, sim.URL(string(o.id)))
		if o.transport != "" {
			c.Transport = o.transport
		}
		if o.login {
			c.User, c.Password = "admin", "hunter2"
		}
		addCamera(t, r.store, c)
	}
	for _, o := range all {
		until(t, string(o.id)+" has five segments", 2*time.Minute, func() bool { return len(r.segments(t, o.id)) >= 5 })
	}
	r.stop()
	for _, o := range all {
		checkOdd(t, r, o)
	}
	// GET_PARAMETER was offered and refused: OPTIONS takes its place at once.
	var after bool
	for _, q := range sim.Requests("keep-454") {
		after = after || q.Method == base.GetParameter
		if after && q.Method == base.Options {
			after = false
			break
		}
	}
	if after {
		t.Errorf("no OPTIONS after GET_PARAMETER: %v", sim.Requests("keep-454"))
	}
	if strings.Contains(r.logs.String(), "hunter2") {
		t.Error("the password is in the log")
	}
}

func checkOdd(t *testing.T, r *rig, o odd) {
	t.Helper()
	if n := r.fleet.Stats()[o.id].Reconnects; n != 0 {
		t.Errorf("%s: %d sessions ended: gaps %v", o.id, n, r.gaps(t, o.id))
	}
	checkNoOverlap(t, r, o.id)
	events, err := r.store.RecordingEvents(t.Context(), src(o.id), time.Unix(1, 0), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	of := func(e ward.RecordingEvent) bool { return e.Kind == o.event }
	if o.event != "" && !slices.ContainsFunc(events, of) {
		t.Errorf("%s: no event %s among %v", o.id, o.event, events)
	}
	for _, e := range events {
		if e.Kind != o.event && e.Kind != ward.Drift && e.Kind != ward.ParamsChanged {
			t.Errorf("%s: event %+v", o.id, e)
		}
	}
	for _, g := range r.gaps(t, o.id) {
		if g.Cause == ward.CauseLoss && o.faults.NewSSRC == 0 {
			t.Errorf("%s: %v", o.id, g)
		}
	}
	segments := r.segments(t, o.id)
	for _, g := range segments[len(segments)-3 : len(segments)-1] {
		if d := g.End.Sub(g.Start) - g.Media; o.clock && d.Abs() > tolerance(400*time.Millisecond) {
			t.Errorf("%s: a segment of %s has %s of media", o.id, g.End.Sub(g.Start), g.Media)
		}
	}
}

// A camera whose clock is set keeps its segments and its session.
func TestASetCameraClockIsAnEvent(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam"})
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", sim.URL("cam")))
	until(t, "the camera's clock is known", 20*time.Second, func() bool { return r.fleet.State("cam-1").Clock == ward.CameraClock })
	if err := sim.Set("cam", simcam.Faults{ClockOffset: time.Hour}); err != nil {
		t.Fatal(err)
	}
	var jumps []ward.RecordingEvent
	until(t, "an event", 20*time.Second, func() bool {
		events, err := r.store.RecordingEvents(t.Context(), src("cam-1"), time.Unix(1, 0), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		jumps = slices.DeleteFunc(events, func(e ward.RecordingEvent) bool { return e.Kind != ward.ClockJump })
		return len(jumps) > 0
	})
	if off := jumps[0].Off - time.Hour; off.Abs() > time.Second {
		t.Errorf("got %+v, want an hour", jumps[0])
	}
	if st := r.fleet.State("cam-1"); (st.Offset - time.Hour).Abs() > time.Second {
		t.Errorf("got offset %s", st.Offset)
	}
	r.stop()
	if n := r.fleet.Stats()["cam-1"].Reconnects; n != 0 {
		t.Errorf("%d sessions ended", n)
	}
}

// An rtsps camera must show the stored certificate, or one that the system trusts.
func TestRTSPSIsTrustedByFingerprint(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam", User: "admin", Password: "hunter2"})
	r := newRig(t, nil)
	pins := map[ward.CameraID]string{"pinned": strings.ToUpper(sim.Fingerprint()), "other": strings.Repeat("ab", 32), "unsigned": ""}
	for id, pin := range pins {
		c := camera(id, sim.TLSURL("cam"))
		c.User, c.Password, c.TLSFingerprint = "admin", "hunter2", pin
		addCamera(t, r.store, c)
	}
	for _, id := range []ward.CameraID{"other", "unsigned"} {
		until(t, string(id)+" is refused", 15*time.Second, func() bool {
			return slices.ContainsFunc(r.gaps(t, id), func(g ward.Gap) bool { return g.Cause == ward.CauseUnreachable })
		})
	}
	until(t, "the pinned camera is recorded", 20*time.Second, func() bool { return len(r.segments(t, "pinned")) >= 2 })
	r.stop()
	for _, id := range []ward.CameraID{"other", "unsigned"} {
		if n := len(r.segments(t, id)); n != 0 {
			t.Errorf("%s: %d segments", id, n)
		}
	}
	if log := r.logs.String(); !strings.Contains(log, sim.Fingerprint()) || strings.Contains(log, "hunter2") {
		t.Errorf("the log must name the certificate shown, and no password: %s", log)
	}
	checkFiles(t, r, "pinned")
}
