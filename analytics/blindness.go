package analytics

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	sceneEvery = time.Minute      // how often what was learned is stored
	lastsEvery = 10 * time.Second // how often a period that lasts is noted as such
	maxTold    = 50               // changes of blind periods held while the database is away
)

// blindness keeps one camera's blind periods that its pictures and its clock
// tell of. One goroutine uses it.
type blindness struct {
	camera ward.Camera
	store  *storage.Store
	shots  func(ward.Sighting, []byte) // puts a picture into the object store, soon

	health  Health
	open    map[ward.BlindCause]ward.BlindPeriod
	fine    taken                         // the last picture with which all was well
	untold  []func(context.Context) error // for the store, in order
	stored  time.Time                     // when the scene was, last
	noted   time.Time                     // when SeenBlind was called last
	ready   bool                          // what was known before is read
	learned int                           // views stored
}

// taken is a picture with its moment.
type taken struct {
	at   time.Time
	jpeg []byte
}

// begin reads what was known before the stream began.
func (b *blindness) begin(ctx context.Context) error {
	scene, err := b.store.Scene(ctx, b.camera.ID)
	if err != nil {
		return err
	}
	lasting, err := b.store.LastingBlind(ctx, b.camera.ID)
	if err != nil {
		return err
	}
	b.health, b.open = Health{}, map[ward.BlindCause]ward.BlindPeriod{}
	if scene != nil {
		if err := json.Unmarshal(scene, &b.health.Scene); err != nil {
			return fmt.Errorf("read the scene of %s: %w", b.camera.ID, err)
		}
	}
	for _, p := range lasting {
		if p.Cause != ward.SignalLost {
			b.health.Resume(p.Cause, p.From, p.Seen)
			b.open[p.Cause] = p
		}
	}
	b.ready = true
	return nil
}

// look takes what a picture showed, and how far the camera's clock is ahead
// (nil: it does not tell). It says whether the picture tells who is there.
func (b *blindness) look(ctx context.Context, seen ward.Seen, offset *time.Duration, at time.Time) (sees bool, err error) {
	if seen.Measures == nil { // a glance, or a worker that is older
		return b.sees(seen), nil
	}
	if !b.ready {
		if err := b.begin(ctx); err != nil {
			return true, err
		}
	}
	now := taken{at, seen.JPEG}
	for _, t := range b.health.Step(*seen.Measures, offset, at) {
		if t.Over {
			b.close(t, now)
		} else {
			b.find(t, now)
		}
	}
	if !b.health.Blind() && len(now.jpeg) > 0 {
		b.fine = now
	}
	if err = b.tell(ctx); err == nil {
		err = b.remember(ctx, at)
	}
	return b.sees(seen), err
}

// sees says whether the picture tells who is there. Somebody who walks past
// close to the lens is no reason to look away.
func (b *blindness) sees(seen ward.Seen) bool {
	return !b.health.Blind() || !b.found() && somebodyIn(seen)
}

// found says whether a fault of the pictures was found and is not over.
func (b *blindness) found() bool {
	for cause := range b.open {
		if cause.OfPicture() {
			return true
		}
	}
	return false
}

func somebodyIn(seen ward.Seen) bool {
	return slices.ContainsFunc(seen.People, func(p ward.Person) bool { return p.Score >= personMin }) ||
		slices.ContainsFunc(seen.Faces, func(f ward.Face) bool { return f.Score >= ward.ScoreMin })
}

// find opens a period, with the last picture before it and the one at it.
func (b *blindness) find(t Trouble, now taken) {
	p := ward.BlindPeriod{
		ID: ward.NewID[ward.BlindID](now.at), CameraID: b.camera.ID, PlaceID: b.camera.PlaceID, InstitutionID: b.camera.InstitutionID,
		Cause: t.Cause, From: t.From, Seen: now.at,
	}
	before, during := b.fine, now
	if t.Cause == ward.WrongClock {
		before = taken{}
	}
	var pictures []lensShot
	p.Before, pictures = b.picture(before, pictures)
	p.At, pictures = b.picture(during, pictures)
	b.open[t.Cause] = p
	b.later(func(ctx context.Context) error {
		if err := b.keep(ctx, pictures); err != nil {
			return err
		}
		return b.store.OpenBlind(ctx, p)
	})
}

// close ends a period, with the picture after it.
func (b *blindness) close(t Trouble, now taken) {
	p, ok := b.open[t.Cause]
	if !ok {
		return
	}
	delete(b.open, t.Cause)
	after, pictures := b.picture(now, nil)
	b.later(func(ctx context.Context) error {
		if err := b.keep(ctx, pictures); err != nil {
			return err
		}
		return b.store.CloseBlind(ctx, p.ID, t.To, after, "")
	})
}

// lensShot is a picture of a blind period with its sighting.
type lensShot struct {
	sighting ward.Sighting
	jpeg     []byte
}

// picture makes a sighting of a picture and adds it to list; nothing of none.
func (b *blindness) picture(s taken, list []lensShot) (ward.BlindPicture, []lensShot) {
	if len(s.jpeg) == 0 {
		return ward.BlindPicture{}, list
	}
	v := lensSighting(b.camera, s.at)
	return ward.BlindPicture{Sighting: v.ID, SHA256: sha256.Sum256(s.jpeg)}, append(list, lensShot{v, s.jpeg})
}

func lensSighting(cam ward.Camera, at time.Time) ward.Sighting {
	return ward.Sighting{
		ID: ward.NewID[ward.SightingID](at), CameraID: cam.ID, PlaceID: cam.PlaceID, InstitutionID: cam.InstitutionID,
		Kind: ward.LensSeen, From: at, To: at, Count: 1,
	}
}

// keep stores the sightings of pictures and sends the pictures on.
func (b *blindness) keep(ctx context.Context, list []lensShot) error {
	vs := make([]ward.Sighting, len(list))
	for i, l := range list {
		vs[i] = l.sighting
	}
	if err := b.store.PutSightings(ctx, vs); err != nil {
		return err
	}
	for _, l := range list {
		b.shots(l.sighting, l.jpeg)
	}
	return nil
}

// later queues a change for the store; the oldest go when it is away for long.
func (b *blindness) later(f func(context.Context) error) {
	if len(b.untold) >= maxTold {
		b.untold = b.untold[1:]
	}
	b.untold = append(b.untold, f)
}

// tell stores what is to be stored, in order.
func (b *blindness) tell(ctx context.Context) error {
	for len(b.untold) > 0 {
		if err := b.untold[0](ctx); err != nil {
			return err
		}
		b.untold = b.untold[1:]
	}
	return nil
}

// remember stores what was learned, and that periods last. When somebody has
// ended one, the camera is well as it is: its scene is learned anew.
func (b *blindness) remember(ctx context.Context, at time.Time) error {
	if at.Sub(b.noted).Abs() >= lastsEvery && len(b.open) > 0 {
		b.noted = at
		var ids []ward.BlindID
		for _, p := range b.open {
			ids = append(ids, p.ID)
		}
		open, err := b.store.SeenBlind(ctx, at, ids...)
		if err != nil {
			return err
		}
		for cause, p := range b.open {
			if cause.OfPicture() && !slices.Contains(open, p.ID) {
				b.ready = false
			}
		}
	}
	if b.found() || at.Sub(b.stored).Abs() < sceneEvery && b.learned == len(b.health.Scene.Views) || !b.health.Scene.known() {
		return nil
	}
	return b.save(ctx, at)
}

// save stores what was learned of the scene.
func (b *blindness) save(ctx context.Context, at time.Time) error {
	scene, err := json.Marshal(b.health.Scene)
	if err != nil {
		return fmt.Errorf("store the scene of %s: %w", b.camera.ID, err)
	}
	if err := b.store.SetScene(ctx, b.camera.ID, scene); err != nil {
		return err
	}
	b.stored, b.learned = at, len(b.health.Scene.Views)
	return nil
}

// end stores what is left when the stream is over. Periods stay open: the
// next stream goes on with them, and a lost signal has its own.
func (b *blindness) end(ctx context.Context) error {
	err := b.tell(ctx)
	if err == nil && b.ready && !b.found() && b.health.Scene.known() {
		err = b.save(ctx, b.health.last)
	}
	return err
}
