package web

import (
	"context"

	"wardwatch/ward"
)

// CameraName is what a page needs to speak of a camera: little, so that all
// of a thousand can be read at once and kept.
type CameraName struct {
	ID            ward.CameraID      `json:"id"`
	Name          string             `json:"name"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
	PlaceID       ward.PlaceID       `json:"place_id"`
}

func (s *Server) listCameraNames(ctx context.Context, _ *none) (*body[Page[CameraName]], error) {
	cameras, err := s.Store.Cameras(ctx, callerOf(ctx).scope())
	names := make([]CameraName, len(cameras))
	for i, c := range cameras {
		names[i] = CameraName{c.ID, c.Name, c.InstitutionID, c.PlaceID}
	}
	return items(names, err)
}
