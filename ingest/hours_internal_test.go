package ingest

import (
	"testing"
	"time"

	"wardwatch/ward"
)

func TestShift(t *testing.T) {
	t.Parallel()
	day := ward.Camera{Record: ward.RecordHours, RecordFrom: "08:00", RecordTo: "18:30"}
	night := ward.Camera{Record: ward.RecordHours, RecordFrom: "22:00", RecordTo: "06:00"}
	for _, c := range []struct {
		cam   ward.Camera
		at    string // UTC: Shanghai is 8 hours ahead
		on    bool
		until string
	}{
		{ward.Camera{Record: ward.RecordAlways}, "2026-11-22T00:00:00Z", true, ""},
		{ward.Camera{}, "2026-11-22T00:00:00Z", true, ""},
		{ward.Camera{Record: ward.RecordNever}, "2026-11-22T00:00:00Z", false, ""},
		{day, "2026-11-21T23:59:59Z", false, "2026-11-22T00:00:00Z"},
		{day, "2026-11-22T00:00:00Z", true, "2026-11-22T10:30:00Z"},
		{day, "2026-11-22T10:29:59Z", true, "2026-11-22T10:30:00Z"},
		{day, "2026-11-22T10:30:00Z", false, "2026-11-23T00:00:00Z"},
		{night, "2026-11-22T13:59:59Z", false, "2026-11-22T14:00:00Z"},
		{night, "2026-11-22T14:00:00Z", true, "2026-11-22T22:00:00Z"},
		{night, "2026-11-22T17:00:00Z", true, "2026-11-22T22:00:00Z"}, // after midnight in Shanghai
		{night, "2026-11-22T22:00:00Z", false, "2026-11-23T14:00:00Z"},
		{ward.Camera{Record: ward.RecordHours, RecordFrom: "08:00", RecordTo: "08:00"}, "2026-11-22T05:00:00Z", true, ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		on, until := shift(c.cam, at)
		got := ""
		if !until.IsZero() {
			got = until.UTC().Format(time.RFC3339)
		}
		if on != c.on || got != c.until {
			t.Errorf("%s-%s at %s: got %v until %q, want %v until %q", c.cam.RecordFrom, c.cam.RecordTo, c.at, on, got, c.on, c.until)
		}
	}
}
