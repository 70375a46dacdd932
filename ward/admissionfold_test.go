package ward_test

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"wardwatch/ward"
)

var admitted = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// said is an event of n hours after the admission.
func said(kind ward.AdmissionEventKind, n int, bed string) ward.AdmissionEvent {
	at := admitted.Add(time.Duration(n) * time.Hour)
	e := ward.AdmissionEvent{Kind: kind, ControlID: strconv.Itoa(n), Recorded: at, At: at, Precision: ward.ToTheMinute}
	if bed != "" {
		e.Place = ward.BedPlace{Ward: "内一", Bed: bed}
	}
	return e
}

// lay tells the beds of a stay in hours after the admission.
func lay(s ward.Stay) string {
	text := ""
	for _, b := range s.Beds {
		text += b.Bed + ":" + strconv.Itoa(int(b.From.Sub(admitted).Hours())) + "-"
		if !b.To.IsZero() {
			text += strconv.Itoa(int(b.To.Sub(admitted).Hours()))
		}
		text += " "
	}
	if s.Cancelled {
		text += "cancelled"
	}
	return text
}

func TestFoldAdmission(t *testing.T) {
	late := said(ward.TransferEvent, 9, "2")
	late.At = admitted.Add(2 * time.Hour)
	began := said(ward.UpdateEvent, 5, "7")
	began.Began = admitted
	for name, c := range map[string]struct {
		events []ward.AdmissionEvent
		want   string
	}{
		"admitted":           {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1")}, "1:0- "},
		"moved and gone":     {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.TransferEvent, 3, "2"), said(ward.DischargeEvent, 8, "")}, "1:0-3 2:3-8 "},
		"written down late":  {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.TransferEvent, 5, "3"), late}, "1:0-2 2:2-5 3:5- "},
		"never moved":        {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.TransferEvent, 3, "2"), said(ward.CancelTransferEvent, 4, "1")}, "1:0- "},
		"never gone":         {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.DischargeEvent, 3, ""), said(ward.CancelDischargeEvent, 4, "")}, "1:0- "},
		"never there":        {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.CancelAdmitEvent, 4, "")}, "1:0-0 cancelled"},
		"update is no move":  {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.UpdateEvent, 4, "2")}, "1:0- "},
		"begun before":       {[]ward.AdmissionEvent{began}, "7:0- "},
		"back again":         {[]ward.AdmissionEvent{said(ward.AdmitEvent, 0, "1"), said(ward.TransferEvent, 1, "2"), said(ward.DischargeEvent, 3, ""), said(ward.AdmitEvent, 5, "3")}, "3:5- "},
		"only a transfer":    {[]ward.AdmissionEvent{said(ward.TransferEvent, 4, "2")}, "2:4- "},
		"and that cancelled": {[]ward.AdmissionEvent{said(ward.TransferEvent, 4, "2"), said(ward.CancelTransferEvent, 5, "1")}, "1:4- "},
	} {
		if got := lay(ward.FoldAdmission(c.events)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// In whatever order, and however often, events come: the stay is the same,
// its beds follow each other without overlaps, and end with it.
func TestFoldAdmissionKnowsNoOrder(t *testing.T) {
	kinds := []ward.AdmissionEventKind{
		ward.AdmitEvent, ward.TransferEvent, ward.DischargeEvent, ward.UpdateEvent, ward.CancelAdmitEvent,
		ward.CancelTransferEvent, ward.CancelDischargeEvent, ward.TransferEvent, ward.TransferEvent,
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var events []ward.AdmissionEvent
		for i := range 1 + r.IntN(12) {
			e := said(kinds[r.IntN(len(kinds))], r.IntN(20), strconv.Itoa(r.IntN(4)))
			e.ControlID = strconv.Itoa(i)
			e.At = e.At.Add(time.Duration(r.IntN(5)-2) * time.Hour)
			e.Physician = []string{"", "甲", "乙"}[r.IntN(3)]
			events = append(events, e)
		}
		want := ward.FoldAdmission(events)
		events = append(events, events[r.IntN(len(events))])
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if got := ward.FoldAdmission(events); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: in another order %+v, not %+v", seed, got, want)
		}
		for i, b := range want.Beds {
			end := want.To
			if i+1 < len(want.Beds) {
				end = want.Beds[i+1].From
			}
			if !b.To.Equal(end) || b.From.Before(want.From) || !b.To.IsZero() && b.To.Before(b.From) {
				t.Fatalf("seed %d: bed %d of %+v", seed, i, want)
			}
		}
	}
}
