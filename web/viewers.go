package web

import (
	"context"
	"sync"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// maxViewers bounds the live pictures of one user: two walls of sixteen.
const maxViewers = 32

// viewers are the live pictures that this process sends.
type viewers struct {
	mu     sync.Mutex // guards the rest
	all    map[string]*watching
	closed bool
	done   sync.WaitGroup
}

// watching is one viewer and whose it is.
type watching struct {
	who    caller
	camera ward.CameraID
	viewer *ingest.Viewer
}

// watchCamera begins a live view. It is recorded like every other view.
func (s *Server) watchCamera(ctx context.Context, in *cameraOffer, c ward.Camera) (*sdpOutput, error) {
	if s.Fleet == nil || s.WHEP == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "live.missing", ZH: "本服务不提供实时画面。", EN: "This process shows no live pictures."}
	}
	stream, ok := s.Fleet.Stream(c.ID)
	if !ok {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "camera.not_live", ZH: "摄像头未在线，暂无实时画面。", EN: "The camera is not live; there is nothing to watch now."}
	}
	return s.view(ctx, c, stream, string(in.RawBody))
}

func (s *Server) view(ctx context.Context, c ward.Camera, stream *ingest.Stream, offer string) (*sdpOutput, error) {
	who := callerOf(ctx)
	if s.viewers.count(who.ID) >= maxViewers {
		return nil, &ward.Error{Kind: ward.Conflict, Code: "live.too_many", ZH: "您同时观看的画面过多，请先关闭一些。", EN: "You watch too many cameras at once; close some first."}
	}
	if err := s.record(ctx, view{object: "camera/" + string(c.ID) + "/live"}); err != nil {
		return nil, err
	}
	answer, v, err := s.WHEP.View(ctx, stream, offer)
	if err != nil {
		return nil, err
	}
	id := string(ward.NewID[ward.VisitID](s.now()))
	w := &watching{who: who, camera: c.ID, viewer: v}
	if !s.viewers.add(id, w) {
		v.Close()
		v.Wait()
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "live.stopping", ZH: "系统正在重启，请稍后再试。", EN: "The service is restarting; try again in a minute."}
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer s.viewers.done.Done()
		s.keep(ctx, id, w)
	}()
	return &sdpOutput{Location: v1 + "/whep/" + id, ContentType: sdpType, Body: []byte(answer)}, nil
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
			s.viewers.remove(id)
			return
		case <-beat.C:
			if err := s.stillMay(ctx, w); err != nil {
				s.Log.InfoContext(ctx, "live view ended", "user", w.who.ID, "camera", w.camera, "reason", err)
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
	c, err := s.Store.Camera(ctx, w.camera)
	if err != nil {
		return err
	}
	if !who.May(ward.MayWatch, c.InstitutionID) {
		return notFound()
	}
	return nil
}

// stopWatching ends a view of the caller's own; of anybody else's it knows nothing.
func (s *Server) stopWatching(ctx context.Context, in *ViewerPath) (*empty, error) {
	w, ok := s.viewers.get(in.ID)
	if !ok || w.who.ID != callerOf(ctx).ID {
		return nil, notFound()
	}
	w.viewer.Close()
	return &empty{}, nil
}

func (v *viewers) count(user ward.UserID) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, w := range v.all {
		if w.who.ID == user {
			n++
		}
	}
	return n
}

// add keeps w unless the server is stopping; done then has one more.
func (v *viewers) add(id string, w *watching) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return false
	}
	if v.all == nil {
		v.all = map[string]*watching{}
	}
	v.all[id] = w
	v.done.Add(1)
	return true
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
		w.viewer.Close()
	}
	v.mu.Unlock()
	v.done.Wait()
}
