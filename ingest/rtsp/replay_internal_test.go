package rtsp

import (
	"testing"
	"time"
)

func TestReplayTime(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 11, 22, 2, 0, 0, 500_000_000, time.UTC)
	head := []byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}
	sec := uint32(moment.Unix() + ntpEpoch)
	extension := []byte{0xab, 0xac, 0, 3, byte(sec >> 24), byte(sec >> 16), byte(sec >> 8), byte(sec), 0x80, 0, 0, 0, 0, 0, 0, 0}
	whole := append(append([]byte(nil), head...), extension...)
	if at, ok := ReplayTime(whole); !ok || !at.Equal(moment) {
		t.Errorf("got %s %v, want %s", at, ok, moment)
	}
	without := append([]byte(nil), whole...)
	without[0] = 0x80
	other := append([]byte(nil), whole...)
	other[12] = 0xbe
	sources := append([]byte(nil), whole...)
	sources[0] |= 15 // contributing sources that are not there
	for name, b := range map[string][]byte{"no extension": without, "another": other, "cut": whole[:20], "empty": nil, "sources": sources} {
		if at, ok := ReplayTime(b); ok {
			t.Errorf("%s: got %s", name, at)
		}
	}
}

func TestBegins(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Time{
		"clock=20261122T020000Z-20261122T030000Z": time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
		"clock=20261122T020000.25Z-":              time.Date(2026, 11, 22, 2, 0, 0, 250_000_000, time.UTC),
		"npt=0-":                                  {},
		"clock=noon-":                             {},
		"":                                        {},
	} {
		if got := begins(header); !got.Equal(want) {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}
