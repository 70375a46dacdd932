package analytics

import (
	"context"
	"log/slog"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// Lookout watches cameras: its Watch is ingest.Fleet's OnStream. Every field
// but Every and Sub is required.
type Lookout struct {
	Pool    *vision.Pool
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	Every   time.Duration // least time between two pictures of a camera while nobody is there; 0: 1 s
	// Sub shares a camera's sub stream until release is called, or says why
	// there is none; nil: main streams alone are looked at.
	Sub func(context.Context, ward.Camera) (s *ingest.Stream, release func(), fault ward.SubFault)
	// SubRetry is how soon a sub stream that was given up is tried again, then
	// after twice as long, up to 16 times; 0: a minute.
	SubRetry time.Duration
	Log      *slog.Logger

	counts  watchCounts
	rules   settingsMap
	zones   zoneMap
	watched watchedMap
}

// Stats counts the pictures of all cameras since the start. It may be called
// from any goroutine.
func (l *Lookout) Stats() WatchStats { return l.counts.stats() }

// Watch looks at one stream of a camera until it closes or ctx ends.
func (l *Lookout) Watch(ctx context.Context, cam ward.Camera, s *ingest.Stream) {
	track, ok := s.Video()
	if !ok {
		return
	}
	session := l.Pool.NewBackgroundSession(track.Codec)
	defer session.Close()
	w := &Watcher{
		Camera: cam, Store: l.Store, Objects: l.Objects, Gallery: l.Gallery, Every: l.Every, SubRetry: l.SubRetry, Log: l.Log, total: &l.counts,
		See:   session.See,
		Zones: func(ctx context.Context) []ward.Zone { return l.zones.of(ctx, l.Store, cam.ID, l.Log) },
		Loiter: func(ctx context.Context) time.Duration {
			return l.rules.loiter(ctx, l.Store.RuleSettings, cam.InstitutionID, l.Log)
		},
		tell: func(v Watching) { l.watched.set(cam.ID, v) },
	}
	if cam.SubURL != "" && l.Sub != nil {
		w.Sub = func(ctx context.Context) (SubStream, ward.SubFault) { return l.sub(ctx, cam) }
	}
	defer l.watched.forget(cam.ID)
	w.Run(ctx, s)
}

// sub shares a camera's sub stream, with a decoder of its own.
func (l *Lookout) sub(ctx context.Context, cam ward.Camera) (SubStream, ward.SubFault) {
	s, release, fault := l.Sub(ctx, cam)
	if fault != ward.NoSubFault {
		return SubStream{}, fault
	}
	track, ok := s.Video()
	if !ok {
		release()
		return SubStream{}, ward.SubAway
	}
	session := l.Pool.NewBackgroundSession(track.Codec)
	return SubStream{Stream: s, See: session.See, Close: func() { session.Close(); release() }}, ward.NoSubFault
}
