package analytics_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// visits is a counter with nobody for 6 s, then somebody for 6 s, as a camera
// of the size shows it at 10 pictures a second, with a key frame each second.
func visits(t *testing.T, size, rate string) *simcam.Clip {
	t.Helper()
	return testcam.Code(t, ward.NoCodec, "-ss", "10", "-t", "6", "-i", modeltest.Clip(t, "franck.mp4"), "-filter_complex",
		"[0]fps=10,scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:(ow-iw)/2:(oh-ih)/2,setsar=1,split[v][e];"+
			"[e]crop=200:720:0:0,scale=1280:720,setsar=1[w];[w][v]concat=n=2,noise=c0s=2:c0f=t,scale="+size+"[out]", "-map", "[out]",
		"-c:v", "libx264", "-preset", "superfast", "-g", "10", "-keyint_min", "10", "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p", "-b:v", rate, "-maxrate", rate, "-bufsize", rate)
}

const (
	visitsLast = 12 * time.Second
	visitSlack = 500 * time.Millisecond // on the way here
)

// watched is a fleet whose cameras are watched as the service does.
type watchedFleet struct {
	*scene
	cams    *simcam.Server
	live    *ingest.LiveView
	lookout *analytics.Lookout
}

// watch plays the simulated cameras, one row for each of rows, and watches
// them; scene is what was learned of each before, if anything.
func watch(t *testing.T, rows []ward.Camera, scene []byte, cameras ...simcam.Camera) *watchedFleet {
	t.Helper()
	s := newScene(t)
	f := &watchedFleet{scene: s, cams: testcam.Play(t, cameras...)}
	s.must(s.DeleteCamera(t.Context(), "c1"))
	for _, c := range rows {
		c.InstitutionID, c.PlaceID, c.Name, c.Enabled, c.Transport = "h1", "p1", string(c.ID), true, ward.TransportTCP
		c.URL = f.cams.URL(c.URL)
		if c.SubURL != "" {
			c.SubURL = f.cams.URL(c.SubURL)
		}
		s.must(s.AddCamera(t.Context(), c))
		if scene != nil {
			s.must(s.SetScene(t.Context(), c.ID, scene))
			// Who is in the picture is staff: one picture a second is enough.
			_, err := s.SetZones(t.Context(), ward.Zoning{CameraID: c.ID, By: "u1", Zones: []ward.Zone{{Kind: ward.StaffZone, Polygon: []ward.Point{{}, {X: 1}, {X: 1, Y: 1}, {Y: 1}}}}}, 0)
			s.must(err)
		}
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	sp, err := spool.Open(filepath.Join(t.TempDir(), "spool"), spool.Options{Limit: 1 << 30, Reserve: 1 << 20})
	s.must(err)
	t.Cleanup(func() { _ = sp.Close() })
	fleet := &ingest.Fleet{Store: s.Store, Spool: sp, Log: log}
	f.live = &ingest.LiveView{Fleet: fleet}
	t.Cleanup(f.live.Close)
	f.lookout = &analytics.Lookout{Pool: modeltest.Pool(t, 1, nil), Store: s.Store, Objects: s.objects, Gallery: s.gallery, SubRetry: time.Second, Log: log}
	f.lookout.Sub = func(ctx context.Context, c ward.Camera) (*ingest.Stream, func(), ward.SubFault) {
		v, err := f.live.Sub(ctx, c)
		if err != nil {
			return nil, nil, ingest.WhyNoSub(err)
		}
		return v.Stream, v.Close, ward.NoSubFault
	}
	fleet.OnStream = f.lookout.Watch
	going(t, fleet.Run)
	return f
}

// looks waits until a camera is watched in one way.
func (f *watchedFleet) looks(cam ward.CameraID, want analytics.Watching) {
	f.t.Helper()
	var got analytics.Watching
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got, _ = f.lookout.Watching(cam); got == want {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("camera %s is watched by %+v, want %+v", cam, got, want)
		}
	}
}

// seen returns the sightings of a camera and kind since a moment.
func (f *watchedFleet) seen(cam ward.CameraID, kind ward.SightingKind, since time.Time) []ward.Sighting {
	f.t.Helper()
	all, err := f.SightingsAt(f.t.Context(), "p1", since, time.Now().Add(time.Minute))
	f.must(err)
	return slices.DeleteFunc(all, func(v ward.Sighting) bool { return v.CameraID != cam || v.Kind != kind || v.From.Before(since) })
}

// TestTheSubStreamTellsWhoIsThere: people are found in the sub stream at the
// moment at which the main stream is recorded with them, faces in the main
// stream; when the sub stream dies, the main one is watched, until it is back.
func TestTheSubStreamTellsWhoIsThere(t *testing.T) {
	t.Parallel()
	f := watch(t, []ward.Camera{{ID: "c1", URL: "main", SubURL: "sub"}}, nil,
		simcam.Camera{Path: "main", Clip: visits(t, "1280:720", "2M")}, simcam.Camera{Path: "sub", Clip: visits(t, "640:360", "300k")})
	sub, main := analytics.Watching{Sub: true}, analytics.Watching{Fault: ward.SubAway}
	f.looks("c1", sub)
	began := time.Now()

	cam, err := f.Camera(t.Context(), "c1")
	f.must(err)
	viewer, err := f.live.Open(t.Context(), cam, ingest.Screen{H264: true}, true)
	f.must(err)
	if n := f.cams.Sessions("sub"); n != 1 || viewer.Source != ingest.LiveSub {
		t.Errorf("%d connections to the sub stream, the viewer sees %s", n, viewer.Source)
	}
	viewer.Close()

	f.eventually(func() bool {
		return len(f.seen("c1", ward.PeopleSeen, began)) > 0 && hasTemplate(f.seen("c1", ward.FaceSeen, began))
	}, "nobody was seen with a face")
	came := f.seen("c1", ward.PeopleSeen, began)[0]
	if into := came.From.Sub(f.cams.Began()) % visitsLast; into < visitsLast/2-visitSlack { // how late a busy machine sees that they went is no fault
		t.Errorf("somebody who is there from 6 to 12 s was seen from %v on", into)
	}
	if n := f.lookout.Stats(); n.Beside == 0 {
		t.Errorf("no key frame of the main stream was looked at: %+v", n)
	}

	f.must(f.cams.Kill("sub"))
	f.looks("c1", main)
	died := time.Now()
	f.eventually(func() bool { return len(f.seen("c1", ward.PeopleSeen, died)) > 0 }, "nobody was seen in the main stream")
	f.must(f.cams.Revive("sub"))
	f.looks("c1", sub)
}

func hasTemplate(vs []ward.Sighting) bool {
	return slices.ContainsFunc(vs, func(v ward.Sighting) bool { return len(v.Template) > 0 })
}

// TestSubStreamsOfNoUse are told, and the main stream is watched.
func TestSubStreamsOfNoUse(t *testing.T) {
	t.Parallel()
	main := visits(t, "1280:720", "2M")
	other := testcam.Code(t, ward.NoCodec, "-f", "lavfi", "-i", "testsrc=s=640x360:r=10:d=12", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p")
	cases := map[ward.CameraID]struct {
		sub   simcam.Camera
		fault ward.SubFault
	}{
		"keyless": {simcam.Camera{Clip: visits(t, "640:360", "300k"), Faults: simcam.Faults{NoKey: true}}, ward.SubKeyless},
		"small":   {simcam.Camera{Clip: visits(t, "320:180", "100k")}, ward.SubSmall},
		"differs": {simcam.Camera{Clip: other}, ward.SubDiffers},
		"away":    {simcam.Camera{Clip: other, Faults: simcam.Faults{Answer: "404"}}, ward.SubAway},
	}
	var rows []ward.Camera
	var cameras []simcam.Camera
	for id, c := range cases {
		c.sub.Path = string(id) + "-sub"
		rows = append(rows, ward.Camera{ID: id, URL: string(id), SubURL: c.sub.Path})
		cameras = append(cameras, simcam.Camera{Path: string(id), Clip: main}, c.sub)
	}
	f := watch(t, rows, nil, cameras...)
	for id, c := range cases {
		f.looks(id, analytics.Watching{Fault: c.fault})
		f.eventually(func() bool { return len(f.seen(id, ward.Watched, time.Time{})) > 0 }, string(id)+" is not watched")
	}
}
