package ward

import (
	"slices"
	"strings"
	"time"
)

// PlanLate is how late a planned round may start: the service was down, say.
// Later than that the start is missed, since it would come at another time of day.
const PlanLate = time.Hour

// PlanState is where a plan stands.
type PlanState string

// The states of a plan.
const (
	PlanActive    PlanState = "active"
	PlanEnded     PlanState = "ended" // a single start is over
	PlanCancelled PlanState = "cancelled"
)

// PlanOutcome is what became of one start of a plan.
type PlanOutcome string

// The outcomes of a start.
const (
	PlanStarted PlanOutcome = "started"
	PlanMissed  PlanOutcome = "missed" // the service was down for longer than PlanLate
	PlanFailed  PlanOutcome = "failed" // nobody to visit, no drawn inspector, the planner may no longer…
)

// PlanSpec is what a plan orders and when.
type PlanSpec struct {
	Reason          string        `json:"reason" minLength:"1" maxLength:"500" doc:"Shown at the bedside"`
	Ward            string        `json:"ward,omitempty" maxLength:"64" doc:"Empty: the whole institution, with risk and draw"`
	AdmissionIDs    []AdmissionID `json:"admission_ids,omitempty" maxItems:"200" doc:"By hand only; none: every stay of the ward at the start"`
	Method          RoundMethod   `json:"method"`
	Take            int           `json:"take,omitempty" minimum:"0" maximum:"200" doc:"How many beds, with risk and draw"`
	DeadlineMinutes int           `json:"deadline_minutes" minimum:"1" maximum:"1440" doc:"From the start"`
	RemindMinutes   int           `json:"remind_minutes,omitempty" minimum:"0" maximum:"1439" doc:"Before the deadline; 0: no reminder"`
	Notify          []EndpointID  `json:"notify,omitempty" maxItems:"16" doc:"Who is reminded, and told when nobody answered"`

	Start    time.Time `json:"start,omitzero" doc:"Of a single round"`
	Weekly   bool      `json:"weekly,omitempty" doc:"Once a week at a random time, drawn by the service"`
	Weekdays []int     `json:"weekdays,omitempty" maxItems:"7" doc:"1 Monday to 7 Sunday, of which one is drawn each week"`
	From     int       `json:"from,omitempty" minimum:"0" maximum:"1439" doc:"Minute of the day in Asia/Shanghai; the time is drawn from here"`
	To       int       `json:"to,omitempty" minimum:"0" maximum:"1440" doc:"up to here"`
}

// Plan is a round, or a row of them, that starts by itself. Nobody of the
// institution sees it before a round has started.
type Plan struct {
	ID            PlanID        `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	PlannedBy     UserID        `json:"planned_by"`
	Created       time.Time     `json:"created"`
	Spec          PlanSpec      `json:"spec"`
	State         PlanState     `json:"state"`
	Next          time.Time     `json:"next,omitzero"`     // start
	DrawID        DrawID        `json:"draw_id,omitempty"` // whose seed the start waits for
}

// PlanRun is what became of one start.
type PlanRun struct {
	PlanID   PlanID      `json:"plan_id"`
	Due      time.Time   `json:"due"`
	At       time.Time   `json:"at"` // later than Due when the service was down, or a draw waited for its seed
	Outcome  PlanOutcome `json:"outcome"`
	RoundID  RoundID     `json:"round_id,omitempty"`
	DrawID   DrawID      `json:"draw_id,omitempty"`
	ReasonZH string      `json:"reason_zh,omitempty"`
	ReasonEN string      `json:"reason_en,omitempty"`
	Next     time.Time   `json:"-"` // start after it; zero: the plan ends
}

// Check says what is wrong with a plan's settings at now.
func (s *PlanSpec) Check(now time.Time) error {
	bad := func(zh, en string) error { return &Error{Kind: Invalid, Code: "plan.spec", ZH: zh, EN: en} }
	switch {
	case strings.TrimSpace(s.Reason) == "" || len([]rune(s.Reason)) > 500:
		return bad("请填写查房事由（不超过 500 字）。", "Give the reason of the round (at most 500 characters).")
	case s.Method == ByHand && s.Ward == "" && len(s.AdmissionIDs) == 0, s.Method == ByHand && s.Take != 0:
		return bad("按人工选择时请选择病区或床位。", "By hand, choose a ward or beds.")
	case s.Method != ByHand && (s.Take < 1 || len(s.AdmissionIDs) > 0):
		return bad("按风险或抽取时请填写床位数。", "By risk or draw, say how many beds.")
	case s.DeadlineMinutes < 1 || s.DeadlineMinutes > 24*60 || s.RemindMinutes < 0 || s.RemindMinutes >= s.DeadlineMinutes:
		return bad("截止时间须在开始后 1 分钟至 24 小时，提醒须早于截止时间。", "The deadline must be 1 minute to 24 hours after the start, and the reminder before it.")
	case s.Weekly && (!s.Start.IsZero() || len(s.Weekdays) == 0 || s.From < 0 || s.To > 24*60 || s.From >= s.To):
		return bad("每周查房须选择至少一个工作日和时间范围。", "A weekly round needs at least one weekday and a span of the day.")
	case !s.Weekly && (!s.Start.After(now) || s.Start.After(now.AddDate(1, 0, 0))):
		return bad("开始时间须在未来一年之内。", "The start must be within the next year.")
	}
	for _, d := range s.Weekdays {
		if d < 1 || d > 7 {
			return bad("星期应为 1 到 7。", "Weekdays are 1 to 7.")
		}
	}
	return nil
}

// First is the first start of a plan made at now. random returns 0 to n-1.
func (s *PlanSpec) First(now time.Time, random func(n int) int) time.Time {
	if !s.Weekly {
		return s.Start
	}
	day := now.In(china)
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, china)
	var days []time.Time
	for i := 1; i <= 7; i++ { // from tomorrow on: a week from now has each weekday once
		if d := midnight.AddDate(0, 0, i); slices.Contains(s.Weekdays, weekday(d)) {
			days = append(days, d)
		}
	}
	return s.within(days[random(len(days))], random)
}

// After is the start of the week after that of due; zero: there is none.
func (s *PlanSpec) After(due time.Time, random func(n int) int) time.Time {
	if !s.Weekly {
		return time.Time{}
	}
	day := due.In(china)
	monday := time.Date(day.Year(), day.Month(), day.Day()-weekday(day)+1+7, 0, 0, 0, 0, china)
	return s.within(monday.AddDate(0, 0, s.Weekdays[random(len(s.Weekdays))]-1), random)
}

func (s *PlanSpec) within(day time.Time, random func(n int) int) time.Time {
	seconds := s.From*60 + random((s.To-s.From)*60)
	return day.Add(time.Duration(seconds) * time.Second).UTC()
}

func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }
