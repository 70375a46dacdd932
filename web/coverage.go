package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// maxCoverageDays is how many days one answer covers.
const maxCoverageDays = 31

// Coverage is how one day of one camera was recorded.
type Coverage struct {
	CameraID      ward.CameraID          `json:"camera_id"`
	InstitutionID ward.InstitutionID     `json:"institution_id"`
	Day           string                 `json:"day" format:"date" doc:"In Asia/Shanghai"`
	ExpectedS     float64                `json:"expected_s" doc:"Seconds that were to be recorded, up to now"`
	RecordedS     float64                `json:"recorded_s" doc:"With what is being recorded now"`
	GapS          float64                `json:"gap_s"`
	FilledS       float64                `json:"filled_s" doc:"Seconds of gap_s that the device had stored and gave afterwards; not in recorded_s"`
	MissingS      float64                `json:"missing_s" doc:"Seconds that were to be recorded and are neither recorded nor filled"`
	Causes        map[ward.Cause]float64 `json:"causes" doc:"Seconds of gap by cause"`
}

// CoveragePage is how the days of some cameras were recorded, by camera id.
type CoveragePage struct {
	Page[Coverage]
	Cameras int `json:"cameras" doc:"How many are on this page, with or without days"`
	Total   int `json:"total" doc:"Cameras that match, on all pages"`
}

type coverageQuery struct {
	InstitutionFilter
	Search string `query:"q" maxLength:"100" doc:"Part of the camera's id, name, address, place or institution"`
	Cursor string `query:"cursor" maxLength:"64" doc:"Next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"Cameras on a page"`
	From   string `query:"from" required:"true" format:"date" doc:"First day, in Asia/Shanghai"`
	To     string `query:"to" required:"true" format:"date" doc:"Last day"`
}

func (s *Server) coverageRoutes(r *routes) {
	add(r, role(ward.MayWatch), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/coverage", OperationID: "coverage",
		Summary: "How every day of a page of cameras was recorded, at most 31 days", Tags: []string{"recordings"},
	}, s.coverage)
}

func (s *Server) coverage(ctx context.Context, in *coverageQuery) (*body[CoveragePage], error) {
	bad := &ward.Error{Kind: ward.Invalid, Code: "time.range", ZH: "时间范围有误或过长。", EN: "The time range is empty, backwards or too long."}
	china := time.FixedZone("Asia/Shanghai", 8*60*60)
	from, err := time.ParseInLocation(time.DateOnly, in.From, china)
	if err != nil {
		return nil, bad
	}
	to, err := time.ParseInLocation(time.DateOnly, in.To, china)
	if err != nil || to.Before(from) || to.Sub(from) >= maxCoverageDays*24*time.Hour {
		return nil, bad
	}
	scope := callerOf(ctx).narrow(in.InstitutionID)
	cameras, err := s.camerasLike(ctx, scope, in.Search)
	if err != nil {
		return nil, err
	}
	out := CoveragePage{Total: len(cameras)}
	cameras, out.Next = cutAfter(cameras, in.Cursor, in.Limit)
	out.Cameras = len(cameras)
	// Each reads some thousand rows: one after the other, so that the database stays free for recording.
	free, err := s.coverages.take(ctx, callerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	defer free()
	now := s.now()
	days, err := s.Store.Coverage(ctx, scope, cameras, from, to.AddDate(0, 0, 1), now)
	out.Items = make([]Coverage, len(days))
	for i, d := range days {
		if err := s.addOpen(ctx, &d, now); err != nil {
			return nil, err
		}
		out.Items[i] = coverageOf(d)
	}
	return answer(out, err)
}

func coverageBusy() *Problem {
	return newProblem(http.StatusServiceUnavailable, "coverage.busy", "正在为其他人统计录像完整性，请稍后再试。", "Coverage is being computed for somebody else; try again shortly.")
}

// camerasLike are the ids, sorted, of scope's cameras that text is found in.
func (s *Server) camerasLike(ctx context.Context, scope []ward.InstitutionID, text string) ([]ward.CameraID, error) {
	all, err := s.Store.Cameras(ctx, scope)
	if err != nil {
		return nil, err
	}
	matches := func(ward.Camera) bool { return true }
	if text != "" {
		if matches, err = s.matcher(ctx, scope, text); err != nil {
			return nil, err
		}
	}
	ids := []ward.CameraID{}
	for _, c := range all {
		if matches(c) {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids) // the database's order is its collation's
	return ids, nil
}

// cutAfter is what follows cursor in sorted ids, at most limit of them, and
// the next page's cursor, empty at the end.
func cutAfter(ids []ward.CameraID, cursor string, limit int) ([]ward.CameraID, string) {
	from, found := slices.BinarySearch(ids, ward.CameraID(cursor))
	if found {
		from++
	}
	if ids = ids[from:]; len(ids) > limit {
		return ids[:limit], string(ids[limit-1])
	}
	return ids, ""
}

func coverageOf(d storage.Covered) Coverage {
	c := Coverage{
		CameraID: d.CameraID, InstitutionID: d.InstitutionID, Day: d.Day.Format(time.DateOnly),
		ExpectedS: d.Expected.Seconds(), RecordedS: d.Recorded.Seconds(), GapS: d.Gap.Seconds(),
		FilledS: d.Filled.Seconds(), MissingS: max(0, d.Expected-d.Recorded-d.Filled).Seconds(), Causes: map[ward.Cause]float64{},
	}
	for cause, length := range d.Causes {
		c.Causes[cause] = length.Seconds()
	}
	return c
}
