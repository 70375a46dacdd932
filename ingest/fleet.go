package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// pollCameras is how soon a changed camera row takes effect.
	pollCameras = time.Second
	// beatEvery is how exactly the moment of a crash is known for a camera
	// that was not being recorded.
	beatEvery = time.Second
)

// Fleet runs every enabled camera of the store and accounts for every moment
// that one of them is not recorded. Call Recover once before Run.
type Fleet struct {
	Store *storage.Store
	Spool *spool.Spool
	Log   *slog.Logger
	Stall time.Duration // how long a camera may send no media; 0 means DefaultStall
	// Guard says at which addresses cameras may be; nil allows all.
	Guard *Guard
	// PerDevice is how many connections a device (host and port) may have at
	// a time; 0 means DefaultPerDevice.
	PerDevice int
	// OnStream is called in its own goroutine for every new stream, with a
	// context that ends with the session. Run waits for it.
	OnStream func(context.Context, ward.Camera, *Stream)
	// OnSegment is called after a segment is committed; it must not block.
	OnSegment func(ward.Segment)

	once   sync.Once
	doored *doors

	mu      sync.Mutex // guards members
	members map[ward.CameraID]*member
}

func (f *Fleet) doors() *doors {
	f.once.Do(func() { f.doored = newDoors(f.PerDevice) })
	return f.doored
}

func (f *Fleet) logger() *slog.Logger {
	if f.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return f.Log
}

// member is a camera of the table.
type member struct {
	*Camera

	stop func() // ends Run and waits; nil while disabled
	quit func() // ends the clerk and waits
}

// Run works until ctx ends, then stops every camera in order, finishes the
// recordings and records an orderly end of the process's life.
func (f *Fleet) Run(ctx context.Context) error {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	life, previous, away, err := f.Store.BeginLife(ctx, storage.ReadClock())
	if err != nil && ctx.Err() != nil {
		return nil // stopped before it began
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.members = map[ward.CameraID]*member{}
	f.mu.Unlock()
	stayed := stayOf(life, previous, away)
	var beat sync.WaitGroup
	beat.Go(func() { f.beat(ctx, life.ID) })
	tick := time.NewTicker(pollCameras)
	defer tick.Stop()
	for {
		if err := f.poll(ctx, stayed); err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "cameras not read", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			f.stopAll()
			beat.Wait()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), clerkFarewell)
			defer cancel()
			return f.Store.EndLife(last, life.ID, storage.ReadClock())
		}
	}
}

// beat keeps note that the process lives, and of a wall clock that is set.
func (f *Fleet) beat(ctx context.Context, life string) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			step, err := f.Store.Beat(ctx, life, storage.ReadClock())
			if err != nil && ctx.Err() == nil {
				f.Log.WarnContext(ctx, "heartbeat not written", "error", err)
			}
			if err == nil && step != 0 {
				f.Log.WarnContext(ctx, "the server's clock was set", "by", step.String())
			}
		case <-ctx.Done():
			return
		}
	}
}

// poll makes the members match the camera table.
func (f *Fleet) poll(ctx context.Context, away stay) error {
	rows, err := f.Store.Cameras(ctx, nil)
	if err != nil {
		return err
	}
	there := map[ward.CameraID]bool{}
	var failed error // one camera's trouble is not the others'; it is tried again
	for _, row := range rows {
		there[row.ID] = true
		if err := f.match(ctx, row, away); err != nil {
			failed = errors.Join(failed, fmt.Errorf("camera %s: %w", row.ID, err))
		}
	}
	for _, m := range f.list() {
		if there[m.ID] {
			continue
		}
		m.halt()
		m.coverage.recorded(time.Now()) // not expected any more
		m.quit()
		f.mu.Lock()
		delete(f.members, m.ID)
		f.mu.Unlock()
	}
	return failed
}

// match makes one member like its row.
func (f *Fleet) match(ctx context.Context, row ward.Camera, away stay) error {
	f.mu.Lock()
	m := f.members[row.ID]
	f.mu.Unlock()
	if m != nil && m.Camera.Camera == row {
		return nil
	}
	cause := ward.CauseConnecting
	if !row.Enabled {
		cause = ward.CauseDisabled
	}
	if m == nil {
		m = f.join(ctx, row)
		if err := f.resume(ctx, m, away, cause); err != nil {
			m.quit()
			return err
		}
	} else {
		m.halt()
		m = &member{Camera: f.camera(row, m.clerk, m.coverage, m.stats), quit: m.quit}
		if row.Record == ward.RecordNever {
			m.coverage.recorded(time.Now()) // not expected any more
		}
		m.missing(cause, time.Now())
	}
	if row.Enabled {
		m.start(ctx)
	} else {
		m.turn(Disabled, ward.CauseDisabled)
	}
	f.mu.Lock()
	f.members[row.ID] = m
	f.mu.Unlock()
	return nil
}

// resume accounts for the time since the camera was recorded last.
func (f *Fleet) resume(ctx context.Context, m *member, away stay, cause ward.Cause) error {
	if m.Record == ward.RecordNever {
		return m.coverage.unexpected(ctx, time.Now())
	}
	if on, _ := shift(m.Camera.Camera, time.Now()); !on && cause != ward.CauseDisabled {
		cause = ward.CauseSchedule
	}
	return m.coverage.resume(ctx, m.Created, away, cause)
}

func (f *Fleet) camera(row ward.Camera, k *clerk, c *coverage, n *counters) *Camera {
	return &Camera{
		Camera: row, Store: f.Store, Spool: f.Spool, Log: f.Log, OnStream: f.OnStream, OnSegment: f.OnSegment,
		fleet: f, clerk: k, coverage: c, stats: n,
	}
}

// join makes a member, with its clerk at work.
func (f *Fleet) join(ctx context.Context, row ward.Camera) *member {
	k := newClerk(f.Log)
	c := &coverage{store: f.Store, clerk: k, src: ward.Source{Kind: ward.FromCamera, ID: string(row.ID)}, inst: row.InstitutionID}
	// The clerk outlives ctx: it finishes what the camera's end leaves to do.
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { k.Run(own) })
	return &member{Camera: f.camera(row, k, c, &counters{}), quit: func() { stop(); wg.Wait() }}
}

func (m *member) start(ctx context.Context) {
	own, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := m.Run(own); err != nil {
			m.Log.ErrorContext(ctx, "camera ended", "camera", m.ID, "error", err)
		}
	})
	m.stop = func() { stop(); wg.Wait() }
}

// halt ends the camera's session and waits.
func (m *member) halt() {
	if m.stop != nil {
		m.stop()
		m.stop = nil
	}
}

// stopAll ends every camera, all at once.
func (f *Fleet) stopAll() {
	var wg sync.WaitGroup
	for _, m := range f.list() {
		wg.Go(func() {
			m.halt()
			m.quit()
		})
	}
	wg.Wait()
}

func (f *Fleet) list() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*member, 0, len(f.members))
	for _, m := range f.members {
		all = append(all, m)
	}
	return all
}

// Stream returns a camera's live stream, if it has one now.
func (f *Fleet) Stream(id ward.CameraID) (*Stream, bool) {
	f.mu.Lock()
	m := f.members[id]
	f.mu.Unlock()
	if m == nil {
		return nil, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stream, m.stream != nil
}

// State says how a camera is doing; a camera not known yet is connecting.
func (f *Fleet) State(id ward.CameraID) CameraState {
	f.mu.Lock()
	m := f.members[id]
	f.mu.Unlock()
	if m == nil {
		return CameraState{Condition: Connecting, Cause: ward.CauseConnecting}
	}
	return m.State()
}

// Stats returns the counts of every camera.
func (f *Fleet) Stats() map[ward.CameraID]CameraStats {
	all := map[ward.CameraID]CameraStats{}
	for _, m := range f.list() {
		all[m.ID] = m.Stats()
	}
	return all
}
