package ingest

import (
	"cmp"
	"slices"
	"time"

	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// place is where one file of a source is, without having been opened.
type place struct {
	segment ward.Segment // ID is empty while there is no row
	entry   spool.Entry  // where there is no row
}

// inOrder puts places in the order of recording. What a device gave
// afterwards comes where it was missing.
func inOrder(all []place) []place {
	slices.SortStableFunc(all, func(a, b place) int {
		return cmp.Or(a.rowless()-b.rowless(), cmp.Compare(a.seq(), b.seq()), a.start().Compare(b.start()))
	})
	var given []place
	all = slices.DeleteFunc(all, func(p place) bool {
		if p.given() {
			given = append(given, p)
		}
		return p.given()
	})
	slices.SortStableFunc(given, func(a, b place) int { return a.start().Compare(b.start()) })
	return fillIn(all, given)
}

// fillIn puts each of given, which come by date, after the last one of all
// that does not begin later, in one pass: dates of all may go back.
func fillIn(all, given []place) []place {
	if len(given) == 0 {
		return all
	}
	out := make([]place, 0, len(all)+len(given))
	for i := len(all); i > 0; i-- { // backwards, like the search
		for n := len(given); n > 0 && !all[i-1].start().After(given[n-1].start()); n-- {
			out = append(out, given[n-1])
			given = given[:n-1]
		}
		out = append(out, all[i-1])
	}
	for _, p := range slices.Backward(given) {
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// given says whether the device had stored it and gave it afterwards.
func (p place) given() bool {
	return p.segment.Origin == ward.FromDevice || p.segment.ID == "" && p.entry.Seq >= deviceSeq
}

// rowless is 1 where there is no row: such a file is later than all with one,
// and the number in its name does not count what devices gave meanwhile.
func (p place) rowless() int {
	if p.segment.ID == "" {
		return 1
	}
	return 0
}

// seq is the number of the file: the order in which the source was recorded,
// also where the server's clock was set back and dates overlap.
func (p place) seq() int64 {
	if p.segment.ID != "" {
		return p.segment.Seq
	}
	return p.entry.Seq
}

func (p place) start() time.Time {
	if p.segment.ID != "" {
		return p.segment.Start
	}
	return p.entry.Start
}
