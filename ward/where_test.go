package ward_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// RFC 6238, appendix B.
func TestTOTPVectors(t *testing.T) {
	secret := func(n int) []byte { return []byte(strings.Repeat("1234567890", 7)[:n]) }
	for _, c := range []struct {
		at                   int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		step := ward.CodeStepAt(time.Unix(c.at, 0))
		if got := ward.TOTP(ward.OTPSHA1, secret(20), step); got != c.sha1 {
			t.Errorf("SHA-1 at %d: got %s, want %s", c.at, got, c.sha1)
		}
		if got := ward.TOTP(ward.OTPSHA256, secret(32), step); got != c.sha256 {
			t.Errorf("SHA-256 at %d: got %s, want %s", c.at, got, c.sha256)
		}
		if got := ward.TOTP(ward.OTPSHA512, secret(64), step); got != c.sha512 {
			t.Errorf("SHA-512 at %d: got %s, want %s", c.at, got, c.sha512)
		}
	}
}

func TestWardCodes(t *testing.T) {
	k := ward.KeyOfWard([]byte("institution's secret"), "内一")
	other := ward.KeyOfWard([]byte("institution's secret"), "内二")
	elsewhere := ward.KeyOfWard([]byte("another secret"), "内一")
	now := time.Unix(1_800_000_010, 0)
	step := ward.CodeStepAt(now)
	head, _, _ := strings.Cut(k.Code(step), fmt.Sprint(step))
	for _, c := range []struct {
		name, text string
		want       ward.CodeResult
	}{
		{"of now", k.Code(step), ward.WardCodeMatch},
		{"of the step before", k.Code(step - 1), ward.WardCodeMatch},
		{"of a minute ago", k.Code(step - 2), ward.WardCodeExpired},
		{"of yesterday", k.Code(step - 2880), ward.WardCodeExpired},
		{"of the next step", k.Code(step + 1), ward.WardCodeExpired},
		{"an old code that says now", fmt.Sprintf("%s%d.%s", head, step, k.Code(step - 9)[len(k.Code(step))-8:]), ward.WardCodeForged},
		{"of another ward", other.Code(step), ward.WardCodeOther},
		{"of another institution", elsewhere.Code(step), ward.WardCodeOther},
		{"a web address", "https://example.org/", ward.WardCodeNone},
		{"three fields", "WW1.A.1", ward.WardCodeNone},
		{"no number", head + "x.12345678", ward.WardCodeNone},
		{"nothing", "", ward.WardCodeNone},
		{"far too long", head + strings.Repeat("1", 4000) + ".12345678", ward.WardCodeNone},
	} {
		if got := k.Judge(c.text, now); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// east and north move p by metres, to a centimetre at these distances.
func move(p ward.GeoPoint, east, north float64) ward.GeoPoint {
	const degree = 111195.08
	return ward.GeoPoint{Lat: p.Lat + north/degree, Lon: p.Lon + east/degree/math.Cos(p.Lat*math.Pi/180)}
}

func TestFences(t *testing.T) {
	c := ward.GeoPoint{Lat: 31.2304, Lon: 121.4737}
	circle := ward.Fence{Datum: ward.WGS84, Center: c, Radius: 200}
	// An L of 400 m by 400 m without its north-east quarter.
	ell := ward.Fence{Datum: ward.WGS84, Polygon: []ward.GeoPoint{
		move(c, -200, -200), move(c, 200, -200), move(c, 200, 0), move(c, 0, 0), move(c, 0, 200), move(c, -200, 200),
	}}
	for _, f := range []struct {
		name  string
		fence ward.Fence
	}{{"circle", circle}, {"polygon", ell}} {
		if err := f.fence.Check(); err != nil {
			t.Fatal(f.name, err)
		}
	}
	for _, k := range []struct {
		name        string
		fence       ward.Fence
		east, north float64
		accuracy    float64
		want        ward.Whereabouts
		beyond      float64
	}{
		{"the centre", circle, 0, 0, 20, ward.Inside, -200},
		{"near the edge", circle, 190, 0, 50, ward.Inside, -10},
		{"perhaps outside", circle, 230, 0, 50, ward.Vague, 30},
		{"the next street", circle, 0, -300, 50, ward.Outside, 100},
		{"a cell tower's guess", circle, 0, 0, 900, ward.Vague, -200},
		{"another town", circle, 0, 30000, 30, ward.Outside, 29800},
		{"in the L", ell, -100, 100, 20, ward.Inside, -100},
		{"in the quarter that the L lacks", ell, 100, 100, 20, ward.Outside, 100},
		{"beyond a corner", ell, 230, -240, 10, ward.Outside, 50},
	} {
		got, beyond := k.fence.Judge(ward.Fix{At: move(c, k.east, k.north), Accuracy: k.accuracy})
		if got != k.want || math.Abs(beyond-k.beyond) > 1 {
			t.Errorf("%s: got %s, %.1f m beyond, want %s, %.1f", k.name, got, beyond, k.want, k.beyond)
		}
	}
	for name, x := range map[string]ward.Fix{
		"the pole":      {At: ward.GeoPoint{Lat: 90}},
		"no number":     {At: ward.GeoPoint{Lat: math.NaN(), Lon: 121}},
		"no accuracy":   {At: c, Accuracy: math.NaN()},
		"negative":      {At: c, Accuracy: -1},
		"zero and zero": {},
	} {
		if got, _ := circle.Judge(x); got != ward.BadFix {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Shanghai's People's Square as public converters give it in both datums.
func TestShiftedCoordinatesAreNotedNotTrusted(t *testing.T) {
	f := ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2304, Lon: 121.4737}, Radius: 100}
	shifted := ward.GeoPoint{Lat: 31.228459, Lon: 121.478230}
	if got, beyond := f.Judge(ward.Fix{At: shifted, Accuracy: 20}); got != ward.Shifted || beyond < 300 || beyond > 500 {
		t.Errorf("got %s, %.0f m", got, beyond)
	}
	f.Datum = ward.GCJ02
	if err := f.Check(); ward.KindOf(err) != ward.Invalid {
		t.Errorf("a fence in GCJ-02: %v", err)
	}
}

func TestBadFences(t *testing.T) {
	c := ward.GeoPoint{Lat: 31.2304, Lon: 121.4737}
	for name, f := range map[string]ward.Fence{
		"nothing":         {Datum: ward.WGS84},
		"tiny":            {Datum: ward.WGS84, Center: c, Radius: 5},
		"huge":            {Datum: ward.WGS84, Center: c, Radius: 9000},
		"no number":       {Datum: ward.WGS84, Center: c, Radius: math.NaN()},
		"two corners":     {Datum: ward.WGS84, Polygon: []ward.GeoPoint{c, move(c, 100, 0)}},
		"a line":          {Datum: ward.WGS84, Polygon: []ward.GeoPoint{c, move(c, 500, 0), move(c, 900, 0)}},
		"both":            {Datum: ward.WGS84, Center: c, Radius: 100, Polygon: []ward.GeoPoint{c, move(c, 500, 0), move(c, 0, 500)}},
		"across a county": {Datum: ward.WGS84, Polygon: []ward.GeoPoint{c, move(c, 50000, 0), move(c, 0, 50000)}},
		"no datum":        {Center: c, Radius: 100},
	} {
		if err := f.Check(); ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
