package web

import (
	"context"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// longestOpen reaches back to where the recording that goes on began: a segment lasts an hour at most, and rotates late on a rare key frame.
	longestOpen = 70 * time.Minute
	// underWay is how late a working camera's pictures may be on the disk: a fragment of a second, and a busy machine.
	underWay = 5 * time.Second
)

// addOpen counts what is being recorded now and has no row yet. The last
// moments, which are on their way to the disk, are neither expected nor
// recorded; when they are more than a few seconds they count as missing.
func (s *Server) addOpen(ctx context.Context, d *storage.Covered, now time.Time) error {
	if s.Library == nil || now.Before(d.Day) || !now.Before(d.Day.AddDate(0, 0, 1)) {
		return nil
	}
	from := now.Add(-longestOpen)
	if from.Before(d.Day) {
		from = d.Day
	}
	tl, err := s.Library.Timeline(ctx, d.InstitutionID, ward.Source{Kind: ward.FromCamera, ID: string(d.CameraID)}, from, now)
	if err != nil || len(tl.Live) == 0 {
		return err
	}
	d.Recorded += ingest.Cover(tl.Live, tl.Gaps, from, now).Recorded
	if late := now.Sub(tl.Live[len(tl.Live)-1].End); late > 0 && late < underWay {
		d.Expected = max(0, d.Expected-late)
	}
	d.Recorded = min(d.Recorded, d.Expected)
	return nil
}
