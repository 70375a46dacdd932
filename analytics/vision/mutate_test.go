package vision_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// mutate returns a damaged copy of b: bits, runs, cuts, and pieces of other.
func mutate(r *rand.Rand, b, other []byte) []byte {
	b = slices.Clone(b)
	for range 1 + r.IntN(8) {
		if len(b) == 0 {
			break
		}
		at := r.IntN(len(b))
		if r.IntN(2) == 0 {
			at = r.IntN(min(len(b), 96)) // parameter sets and headers
		}
		end := min(len(b), at+1+r.IntN(64))
		switch r.IntN(8) {
		case 0, 1, 2:
			b[at] ^= 1 << r.IntN(8)
		case 3:
			b[at] = []byte{0, 0xff, 0x80, 0x7f}[r.IntN(4)]
		case 4:
			b = slices.Delete(b, at, end)
		case 5:
			b = slices.Insert(b, at, b[at:end]...)
		case 6:
			from := r.IntN(len(other))
			copy(b[at:], other[from:min(len(other), from+1+r.IntN(512))])
		case 7:
			b = b[:at]
		}
	}
	return b
}

// TestDamagedBitstreams feeds damaged access units of real clips and damaged
// photos to a worker and to transcoders for 20 s ($WARDWATCH_FUZZ_VISION says
// how long). A worker may fall, which costs one request; what is whole must be
// seen again after it.
func TestDamagedBitstreams(t *testing.T) {
	long := 20 * time.Second
	if s := os.Getenv("WARDWATCH_FUZZ_VISION"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	pool := modeltest.Pool(t, 1, nil)
	clip := modeltest.Clip(t, "franck.mp4")
	photo := modeltest.Frame(t, clip, "10")
	codecs := []ward.Codec{ward.H264, ward.H265, ward.VP8, ward.MJPEG}
	units := map[ward.Codec][]modeltest.Unit{}
	coders := map[ward.Codec]*vision.Coder{}
	for _, c := range codecs {
		units[c], coders[c] = modeltest.Units(t, clip, c, "10", "2"), newCoder(t, c)
	}
	var fed, lost, lostCoders, broken int
	count := func(err error, lost *int) {
		fed++
		switch {
		case errors.Is(err, vision.ErrLost):
			*lost++
		case errors.Is(err, vision.ErrPicture), errors.Is(err, &ward.Error{Code: "photo.broken"}):
			broken++
		case err != nil:
			t.Errorf("after %d: %v", fed, err)
		}
	}
	for end := time.Now().Add(long); time.Now().Before(end) && !t.Failed(); {
		c := codecs[r.IntN(len(codecs))]
		us := units[c]
		s := pool.NewSession(c)
		for i := range 20 {
			u, other := us[i], us[r.IntN(len(us))]
			b := u.Data
			if i > 0 && r.IntN(4) > 0 || r.IntN(3) > 0 {
				b = mutate(r, b, other.Data)
			}
			_, _, err := s.See(t.Context(), b, u.Key, vision.WantPrint)
			count(err, &lost)
			_, err = coders[c].Code(t.Context(), vision.CodeRequest{PTS: int64(i) * 3600, Key: u.Key, Show: true, Data: b})
			count(err, &lostCoders)
		}
		s.Close()
		_, err := pool.Still(t.Context(), mutate(r, photo, photo), vision.WantPrint)
		count(err, &lost)
	}
	t.Logf("%d requests, %d did not decode, %d cost a worker, %d a transcoder", fed, broken, lost, lostCoders)
	if fed < 100 || broken == 0 {
		t.Errorf("only %d requests, %d of them broken", fed, broken)
	}
	if n := int(pool.Restarts()); n != lost {
		t.Errorf("%d workers fell for %d requests", n, lost)
	}
	for _, c := range codecs {
		s := pool.NewSession(c)
		see(t, s, units[c][:1], vision.WantPrint)
		s.Close()
	}
}
