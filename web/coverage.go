package web

import (
	"context"
	"net/http"
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
	RecordedS     float64                `json:"recorded_s"`
	GapS          float64                `json:"gap_s"`
	Causes        map[ward.Cause]float64 `json:"causes" doc:"Seconds of gap by cause"`
}

type coverageQuery struct {
	InstitutionFilter
	From string `query:"from" required:"true" format:"date" doc:"First day, in Asia/Shanghai"`
	To   string `query:"to" required:"true" format:"date" doc:"Last day"`
}

func (s *Server) coverageRoutes(r *routes) {
	add(r, role(ward.MayWatch), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/coverage", OperationID: "coverage",
		Summary: "How every day of every camera was recorded, at most 31 days", Tags: []string{"recordings"},
	}, s.coverage)
}

func (s *Server) coverage(ctx context.Context, in *coverageQuery) (*body[Page[Coverage]], error) {
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
	days, err := s.Store.Coverage(ctx, callerOf(ctx).narrow(in.InstitutionID), from, to.AddDate(0, 0, 1), s.now())
	out := make([]Coverage, len(days))
	for i, d := range days {
		out[i] = coverageOf(d)
	}
	return items(out, err)
}

func coverageOf(d storage.Covered) Coverage {
	c := Coverage{
		CameraID: d.CameraID, InstitutionID: d.InstitutionID, Day: d.Day.Format(time.DateOnly),
		ExpectedS: d.Expected.Seconds(), RecordedS: d.Recorded.Seconds(), GapS: d.Gap.Seconds(), Causes: map[ward.Cause]float64{},
	}
	for cause, length := range d.Causes {
		c.Causes[cause] = length.Seconds()
	}
	return c
}
