package web

import (
	"context"
	"maps"
	"sync"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// maxViewers bounds the live pictures of one user: two walls of sixteen.
	maxViewers = 32
	// maxAllViewers bounds those of all users together: at 2 Mbit/s each they
	// fill half a Gbit/s.
	maxAllViewers = 256
)

// viewers are the live pictures that this process sends.
type viewers struct {
	mu     sync.Mutex // guards the rest
	all    map[string]*watching
	hls    map[hlsView]time.Time // when it was asked for last
	closed bool
	done   sync.WaitGroup
}

// hlsView is one picture that a user watches by LL-HLS, which has no end but
// that nothing is asked for any more.
type hlsView struct {
	user   ward.UserID
	camera ward.CameraID
	prefer string
}

// hlsViewRest is for how long a view by LL-HLS counts after it was asked for.
const hlsViewRest = 15 * time.Second

// watching is one viewer and whose it is.
type watching struct {
	who    caller
	camera ward.Camera    // as it was when this began
	viewer *ingest.Viewer // nil while the offer is answered

	ended bool // guarded by viewers.mu: to be closed as soon as there is a viewer
}

// watchCamera begins a live view. It is recorded like every other view.
func (s *Server) watchCamera(ctx context.Context, in *cameraOffer, c ward.Camera) (*sdpOutput, error) {
	if s.Live == nil || s.WHEP == nil {
		return nil, noLive()
	}
	offer := string(in.RawBody)
	return s.view(ctx, c, offer, func() (*ingest.Showing, error) {
		return s.Live.Open(ctx, c, ingest.ScreenOf(offer), in.Prefer == "sub")
	})
}

func noLive() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "live.missing", ZH: "本服务不提供实时画面。", EN: "This process shows no live pictures."}
}

// view begins a live view of what open finds, once there is room for it.
func (s *Server) view(ctx context.Context, c ward.Camera, offer string, open func() (*ingest.Showing, error)) (*sdpOutput, error) {
	w := &watching{who: callerOf(ctx), camera: c}
	id := string(ward.NewID[ward.VisitID](s.now()))
	if err := s.viewers.add(id, w); err != nil {
		return nil, err
	}
	show, err := open()
	var answer string
	var viewer *ingest.Viewer
	if err == nil {
		if err = s.record(ctx, view{object: "camera/" + string(c.ID) + "/live"}); err == nil {
			answer, viewer, err = s.WHEP.View(ctx, show.Stream, offer)
		}
		if err != nil {
			show.Close()
		}
	}
	if err != nil {
		s.viewers.remove(id)
		s.viewers.done.Done()
		return nil, err
	}
	s.viewers.begin(w, viewer)
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer s.viewers.done.Done()
		defer show.Close()
		s.keep(ctx, id, w)
	}()
	return &sdpOutput{Location: v1 + "/whep/" + id, ContentType: sdpType, Source: show.Source, Sound: show.Sound(), Body: []byte(answer)}, nil
}

// keep waits for the viewer's end, and ends it when its user may no longer
// watch: the session ended, the user was disabled or lost the institution.
func (s *Server) keep(ctx context.Context, id string, w *watching) {
	ended := make(chan struct{})
	go func() {
		w.viewer.Wait()
		close(ended)
	}()
	beat := time.NewTicker(s.heartbeat())
	defer beat.Stop()
	for {
		select {
		case <-ended:
			if w.viewer.Slow() {
				s.Log.InfoContext(ctx, "live view ended: the link is too slow", "user", w.who.ID, "camera", w.camera.ID)
			}
			s.viewers.remove(id)
			return
		case <-beat.C:
			if err := s.stillMay(ctx, w); err != nil {
				s.Log.InfoContext(ctx, "live view ended", "user", w.who.ID, "camera", w.camera.ID, "reason", err)
				w.viewer.Close()
			}
		}
	}
}

func (s *Server) stillMay(ctx context.Context, w *watching) error {
	who, err := s.callerBy(ctx, w.who.session, w.who.kind)
	if err != nil {
		return err
	}
	c, err := s.Store.Camera(ctx, w.camera.ID)
	if err != nil {
		return err
	}
	if !who.May(ward.MayWatch, c.InstitutionID) {
		return notFound()
	}
	if !c.Enabled || c != w.camera {
		return ingest.NotLive() // who still may watch a changed camera begins again
	}
	return nil
}

// stopWatching ends a view of the caller's own; of anybody else's it knows nothing.
func (s *Server) stopWatching(ctx context.Context, in *ViewerPath) (*empty, error) {
	w, ok := s.viewers.get(in.ID)
	if !ok || w.who.ID != callerOf(ctx).ID {
		return nil, notFound()
	}
	s.viewers.end(w)
	return &empty{}, nil
}

// add makes room for w; done then has one more. It fails when there are too
// many or the server is stopping.
func (v *viewers) add(id string, w *watching) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return &ward.Error{Kind: ward.Unavailable, Code: "live.stopping", ZH: "系统正在重启，请稍后再试。", EN: "The service is restarting; try again in a minute."}
	}
	if err := v.room(w.who.ID); err != nil {
		return err
	}
	if v.all == nil {
		v.all = map[string]*watching{}
	}
	v.all[id] = w
	v.done.Add(1)
	return nil
}

// touch counts a view by LL-HLS, which must have room as others have.
func (v *viewers) touch(h hlsView, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.hls, func(_ hlsView, asked time.Time) bool { return now.Sub(asked) > hlsViewRest })
	if _, ok := v.hls[h]; !ok {
		if err := v.room(h.user); err != nil {
			return err
		}
	}
	if v.hls == nil {
		v.hls = map[hlsView]time.Time{}
	}
	v.hls[h] = now
	return nil
}

// room says why the user cannot watch one more camera; called locked.
func (v *viewers) room(user ward.UserID) error {
	if len(v.all)+len(v.hls) >= maxAllViewers {
		return &ward.Error{Kind: ward.Unavailable, Code: "live.full", ZH: "同时观看实时画面的人数已达上限，请稍后再试。", EN: "No more live views fit now; try again later."}
	}
	n := 0
	for _, o := range v.all {
		if o.who.ID == user {
			n++
		}
	}
	for h := range v.hls {
		if h.user == user {
			n++
		}
	}
	if n >= maxViewers {
		return &ward.Error{Kind: ward.Conflict, Code: "live.too_many", ZH: "您同时观看的画面过多，请先关闭一些。", EN: "You watch too many cameras at once; close some first."}
	}
	return nil
}

// begin gives w its viewer.
func (v *viewers) begin(w *watching, viewer *ingest.Viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.viewer = viewer
	if w.ended || v.closed {
		w.viewer.Close()
	}
}

// end closes w's viewer, now or when it has one.
func (v *viewers) end(w *watching) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w.ended = true; w.viewer != nil {
		w.viewer.Close()
	}
}

func (v *viewers) get(id string) (*watching, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, ok := v.all[id]
	return w, ok
}

func (v *viewers) remove(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, id)
}

// close ends every view and waits.
func (v *viewers) close() {
	v.mu.Lock()
	v.closed = true
	for _, w := range v.all {
		if w.viewer != nil {
			w.viewer.Close()
		}
	}
	v.mu.Unlock()
	v.done.Wait()
}
