package sweep

import (
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"wardwatch/ward"
)

// Hospital is what was seen of one institution.
type Hospital struct {
	ID      string  `json:"id"`
	Beds    int     `json:"beds"`
	Present int     `json:"present"`
	Other   int     `json:"other"`  // with another verdict, or left to people
	Took    float64 `json:"took_s"` // from its first bedside to its last verdict
	began   time.Time
	decided time.Time
}

// Wrong is a bed whose verdict is not the truth, or came too late.
type Wrong struct {
	Bed     int          `json:"bed"`
	Kind    Kind         `json:"kind"`
	Verdict ward.Verdict `json:"verdict"`
	Reason  string       `json:"reason"`
	Error   string       `json:"error,omitempty"` // of the bedside
}

// Report is what came out of a sweep. Seconds are of the wall clock.
type Report struct {
	Simulated bool                          `json:"simulated"` // always true
	Beds      int                           `json:"beds"`
	Hospitals []Hospital                    `json:"hospitals"`
	Verdicts  map[Kind]map[ward.Verdict]int `json:"verdicts"`           // by who was there
	NotPassed int                           `json:"genuine_not_passed"` // with any verdict but present; those left to people among them
	Missed    int                           `json:"missed_deadlines"`
	Wrong     []Wrong                       `json:"wrong"` // final verdicts that are false
	Left      []Wrong                       `json:"left_to_people"`
	Ordering  float64                       `json:"ordering_s"`
	Wall      float64                       `json:"wall_s"` // from the first order to the last verdict over somebody who answered
	VisitP50  float64                       `json:"visit_p50_s"`
	VisitP99  float64                       `json:"visit_p99_s"`
	Waited    float64                       `json:"waited_s"` // longest wait that the service asked a bedside for
	MostOnce  int                           `json:"most_at_once"`
	MeanOnce  float64                       `json:"mean_at_once"`
	BoardAsks int                           `json:"board_asks"`
	BoardFail int                           `json:"board_failures"`
	BoardP50  float64                       `json:"board_p50_ms"`
	BoardP99  float64                       `json:"board_p99_ms"`
	BoardMax  float64                       `json:"board_max_ms"`
	CPU       CPU                           `json:"cpu"`
	Cores     int                           `json:"cores"`
	// PerCoreMinute is answered visits for a minute of one core of service
	// and workers; 0 when the service is not on this machine.
	PerCoreMinute float64 `json:"visits_per_core_minute"`
}

// Met says whether no deadline was missed and no verdict is wrong.
func (r *Report) Met() bool { return r.Missed == 0 && len(r.Wrong) == 0 }

// report compares the beds with the truth.
func (s *sweep) report(ordering, start time.Time, used CPU, b *board) *Report {
	r := &Report{
		Simulated: true, Beds: s.Beds, Verdicts: map[Kind]map[ward.Verdict]int{}, Ordering: start.Sub(ordering).Seconds(), Wrong: []Wrong{}, Left: []Wrong{}, MostOnce: s.most,
		BoardAsks: len(b.took), BoardFail: b.failed, BoardP50: ms(quantile(b.took, .5)), BoardP99: ms(quantile(b.took, .99)), BoardMax: ms(quantile(b.took, 1)),
		CPU: used, Cores: runtime.NumCPU(), Hospitals: make([]Hospital, s.Institutions),
	}
	var took []time.Duration
	var all time.Duration
	last := start
	for _, x := range s.beds {
		r.add(x)
		if x.kind == Nobody {
			continue
		}
		if !x.left.IsZero() {
			took, all = append(took, x.left.Sub(x.began)-x.waited), all+x.left.Sub(x.began)-x.waited
		}
		r.Waited = max(r.Waited, x.waited.Seconds())
		if x.decided.After(last) {
			last = x.decided
		}
	}
	for i := range r.Hospitals {
		h := &r.Hospitals[i]
		h.ID, h.Took = institution(i), max(0, h.decided.Sub(h.began).Seconds())
	}
	r.Wall, r.VisitP50, r.VisitP99 = last.Sub(ordering).Seconds(), quantile(took, .5).Seconds(), quantile(took, .99).Seconds()
	r.MeanOnce = all.Seconds() / max(1, last.Sub(start).Seconds())
	if cost := (used.Service + used.Workers).Minutes(); cost > 0 && s.Service != 0 {
		r.PerCoreMinute = float64(len(took)) / cost
	}
	return r
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// add counts one bed.
func (r *Report) add(x *bed) {
	if r.Verdicts[x.kind] == nil {
		r.Verdicts[x.kind] = map[ward.Verdict]int{}
	}
	r.Verdicts[x.kind][x.verdict]++
	h := &r.Hospitals[x.institution]
	h.Beds++
	if x.verdict == ward.Present {
		h.Present++
	} else {
		h.Other++
	}
	w := Wrong{Bed: x.number + 1, Kind: x.kind, Verdict: x.verdict, Reason: x.reason}
	if x.err != nil {
		w.Error = x.err.Error()
	}
	if x.kind == Nobody {
		if x.verdict != ward.NoAnswer {
			r.Wrong = append(r.Wrong, w)
		}
		return
	}
	if !x.began.IsZero() && (h.began.IsZero() || x.began.Before(h.began)) {
		h.began = x.began
	}
	if x.decided.After(h.decided) {
		h.decided = x.decided
	}
	late := x.decided.IsZero() || x.decided.After(x.deadline) || x.verdict == ward.NoAnswer
	if late {
		r.Missed++
	}
	if x.kind == Genuine && x.verdict != ward.Present {
		r.NotPassed++
	}
	switch {
	case x.verdict == ward.Undecided:
		r.Left = append(r.Left, w)
	case x.kind == Genuine && x.verdict != ward.Present, x.kind == Impostor && x.verdict == ward.Present:
		r.Wrong = append(r.Wrong, w)
	}
}

// Print prints the table.
func (r *Report) Print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "institution\tbeds\tpresent\tother\ttook")
	for _, h := range r.Hospitals {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.1f s\n", h.ID, h.Beds, h.Present, h.Other, h.Took)
	}
	_, _ = fmt.Fprintln(t, "\nwho was there\tverdict\tbeds")
	for _, k := range []Kind{Genuine, Impostor, Nobody} {
		for _, v := range slices.Sorted(maps.Keys(r.Verdicts[k])) {
			name := string(v)
			if v == ward.NoVerdict {
				name = "none"
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\n", k, name, r.Verdicts[k][v])
		}
	}
	_, _ = fmt.Fprintf(t, "\nbeds, institutions\t%d, %d (simulated)\n", r.Beds, len(r.Hospitals))
	_, _ = fmt.Fprintf(t, "wall time\t%.0f s, of it ordering %.1f s\n", r.Wall, r.Ordering)
	_, _ = fmt.Fprintf(t, "at once\tat most %d, mean %.1f\n", r.MostOnce, r.MeanOnce)
	_, _ = fmt.Fprintf(t, "a visit\tp50 %.1f s, p99 %.1f s; told to wait at most %.0f s\n", r.VisitP50, r.VisitP99, r.Waited)
	_, _ = fmt.Fprintf(t, "missed deadlines\t%d\n", r.Missed)
	_, _ = fmt.Fprintf(t, "wrong verdicts\t%d\n", len(r.Wrong))
	_, _ = fmt.Fprintf(t, "genuine not passed\t%d, left to people among them\n", r.NotPassed)
	_, _ = fmt.Fprintf(t, "board\tp50 %.0f ms, p99 %.0f ms, max %.0f ms of %d answers, %d failed\n", r.BoardP50, r.BoardP99, r.BoardMax, r.BoardAsks, r.BoardFail)
	r.costs(t)
	for _, w := range slices.Concat(r.Wrong, r.Left) {
		_, _ = fmt.Fprintf(t, "bed %d\t%s: %s %s %s\n", w.Bed, w.Kind, w.Verdict, w.Reason, w.Error)
	}
	return t.Flush()
}

// costs prints where the processor's time went, and what follows from it.
func (r *Report) costs(t io.Writer) {
	if r.PerCoreMinute == 0 {
		_, _ = fmt.Fprintf(t, "CPU\tbedsides %.1f s; the service is not this command's\n", r.CPU.Beds.Seconds())
		return
	}
	_, _ = fmt.Fprintf(t, "CPU\tservice %.1f s, workers %.1f s, simulated bedsides %.1f s, on %d cores\n", r.CPU.Service.Seconds(), r.CPU.Workers.Seconds(), r.CPU.Beds.Seconds(), r.Cores)
	if r.NotPassed > 0 { // a machine that is too slow looks at fewer pictures: its visits are cheap, and worth nothing
		_, _ = fmt.Fprintf(t, "cores for 1,000\tnot computed: genuine visits did not pass, so this machine was full\n")
		return
	}
	need := 1000. / 15 / r.PerCoreMinute
	_, _ = fmt.Fprintf(t, "computed, not run\t%.2f visits a core-minute of service and workers; 1,000 in 15 minutes take %.0f cores full to the brim, or %.0f machines of %d\n",
		r.PerCoreMinute, math.Ceil(need), math.Ceil(need/float64(r.Cores)), r.Cores)
}
