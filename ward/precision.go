package ward

import "math"

// Precision is how often a rule was right, by what people decided on its
// alerts: confirmed ones against those dismissed for a reason that counts.
// Whoever appealed and was heard counts as dismissed.
type Precision struct {
	Rule      Rule     `json:"rule"`
	CameraID  CameraID `json:"camera_id"` // empty: of all together, or of alerts without a camera
	Shadow    bool     `json:"shadow"`    // of alerts that the rule raised in shadow: what it would be if shown
	Confirmed int      `json:"confirmed"`
	// Why the others were dismissed; those under Excluded (duplicates, tests) do not count.
	Wrong      int `json:"wrong"`
	Legitimate int `json:"legitimate"`
	Unclear    int `json:"unclear"`
	Excluded   int `json:"excluded"`
	Waiting    int `json:"waiting"` // for a decision, whenever they were raised
	// Share is Confirmed of those that count; 0 when there are none. Low and
	// High bound it with 95 % confidence.
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Count adds n alerts in a state, dismissed for reason.
func (p *Precision) Count(state AlertState, reason DismissReason, n int) {
	switch {
	case state == AlertConfirmed:
		p.Confirmed += n
	case state.Open():
		p.Waiting += n
	case state != AlertDismissed: // withdrawn: nobody decided
	case !reason.Counts():
		p.Excluded += n
	case reason == DismissLegitimate:
		p.Legitimate += n
	case reason == DismissUnclear:
		p.Unclear += n
	default: // also those of before reasons were asked for
		p.Wrong += n
	}
	decided := p.Confirmed + p.Wrong + p.Legitimate + p.Unclear
	if p.Share = 0; decided > 0 {
		p.Share = float64(p.Confirmed) / float64(decided)
	}
	p.Low, p.High = Wilson(p.Confirmed, decided)
}

// Wilson is the 95 % score interval of a share of k among n (Wilson, JASA
// 22, 1927): unlike k/n ± 1.96 standard errors it holds for few and for all.
// Of none it is 0 to 1.
func Wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054 // of 0.975
	total, share := float64(n), float64(k)/float64(n)
	mid := share + z*z/(2*total)
	half := z * math.Sqrt(share*(1-share)/total+z*z/(4*total*total))
	scale := 1 + z*z/total
	return max(0, (mid-half)/scale), min(1, (mid+half)/scale)
}
