package evidence

import (
	"testing"
	"time"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// TestFilledStretchIsAGapStill: what the device gave afterwards is not what
// was recorded, and its gap stays; together they are the stretch.
func TestFilledStretchIsAGapStill(t *testing.T) {
	t0 := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	segs := []ward.Segment{
		{Start: at(-5), End: at(20)},
		{Start: at(18), End: at(30), Origin: ward.FromDevice}, // begins with the key frame before
		{Start: at(30), End: at(35), Origin: ward.FromDevice},
		{Start: at(40), End: at(60)},
		{Start: at(62), End: at(65), Origin: ward.FromDevice}, // of a stretch for which no cause is noted
	}
	gaps := []ward.Gap{{From: at(20), To: at(40), Cause: ward.CauseUnreachable}}
	recorded, filled, without := cover(t0, at(70), segs, gaps)
	if recorded != 40 || filled != 18 || len(without) != 2 || without[0] != (pack.GapSpan{From: at(20), To: at(40), Cause: ward.CauseUnreachable}) || without[1] != (pack.GapSpan{From: at(60), To: at(70), Cause: CauseUnknown}) {
		t.Errorf("%v s recorded, %v s filled, without: %v", recorded, filled, without)
	}
}

func TestRoleOfWhatADeviceGave(t *testing.T) {
	if o, b := pack.MediaRole(ward.FromStream), pack.MediaRole(ward.FromDevice); o != pack.RoleOriginal || b != pack.RoleBackfill {
		t.Errorf("%s, %s", o, b)
	}
}
