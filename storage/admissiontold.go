package storage

import (
	"context"
	"encoding/json"
	"time"

	"wardwatch/ward"
)

// ToldEvent is what a hospital said about a stay, with how and when it came in.
type ToldEvent struct {
	ward.AdmissionEvent
	Way      ward.AdmissionWay
	Received time.Time
}

// ToldOf is what was said about an admission, the first received first; none
// when it was only registered.
func (s *Store) ToldOf(ctx context.Context, id ward.AdmissionID) ([]ToldEvent, error) {
	return listed(ctx, s, "list what was told of "+string(id), func(r row) (e ToldEvent, err error) {
		var key, sealed []byte
		var received int64
		if err := r.Scan(&key, &sealed, &e.Way, &received); err != nil {
			return e, err
		}
		plain, err := s.seal.open(sealed, eventCell(key))
		if err != nil {
			return e, err
		}
		e.Received = at(received)
		return e, json.Unmarshal(plain, &e.AdmissionEvent)
	}, `SELECT id, body, way, received_us FROM admission_event WHERE admission_id = $1 ORDER BY received_us, id`, id)
}
