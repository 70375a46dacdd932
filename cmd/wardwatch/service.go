package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics"
	"wardwatch/analytics/faces"
	"wardwatch/analytics/redact"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ingest/mllp"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/storage/facesearch"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web"
	"wardwatch/web/notify"
)

// service is every part of one process, wired. The demo and `serve` share it.
type service struct {
	config    Config
	log       *slog.Logger
	store     *storage.Store
	objects   objects.Objects
	spool     *spool.Spool
	redact    *redact.Maker // nil when vision.workers is 0
	pool      *vision.Pool  // nil when vision.workers is 0
	fleet     *ingest.Fleet
	live      *ingest.LiveView
	upload    *ingest.Uploader
	keeper    *ingest.Keeper
	retention *storage.Retention
	holds     *storage.HoldKeeper
	rounds    *rounds.Engine
	draws     *rounds.Drawer
	planner   *rounds.Planner
	correl    *analytics.Correlator
	notify    *notify.Dispatcher
	faces     *facesearch.Index
	lookout   *analytics.Lookout // nil when vision.workers is 0
	signals   *analytics.Signals // nil without workers: nobody looks then
	web       *web.Server
	hl7       *mllp.Server   // nil: no messages are taken
	close     []func() error // in order of opening
}

// objectsWait is how long the start waits for the object store: nothing is
// recorded before.
const objectsWait = 2 * time.Second

// openService opens what the process needs; nothing runs yet.
func openService(ctx context.Context, c Config, log *slog.Logger) (*service, error) {
	s := &service{config: c, log: log}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *service) open(ctx context.Context) error {
	ingest.SaveMemory()
	var err error
	hub := &web.Hub{}
	options := storeOptions(s.config, s.log)
	options.OnAlert = func(a ward.Alert) {
		if !a.Shadow {
			hub.Notify(string(web.AlertEvent), string(a.ID), a.InstitutionID)
		}
	}
	if s.store, err = storage.OpenOrBegin(ctx, options); err != nil {
		return err
	}
	s.close = append(s.close, s.store.Close)
	soon, cancel := context.WithTimeout(ctx, objectsWait)
	defer cancel()
	if s.objects, err = openObjects(soon, s.config); s.objects == nil {
		return err
	} else if err != nil { // no reason not to record
		s.log.ErrorContext(ctx, "the object store is away, recordings wait in the spool", "error", err)
	}
	if s.spool, err = spool.Open(filepath.Join(s.config.Data, "spool"), spool.Options{Limit: int64(s.config.Spool.Limit), Reserve: int64(s.config.Spool.Reserve)}); err != nil {
		return err
	}
	s.close = append(s.close, s.spool.Close)
	reached := ingest.WebRTCConfig{UDPPort: s.config.WebRTC.UDPPort, PublicIPs: s.config.WebRTC.PublicIPs, Loopback: s.config.WebRTC.Loopback}
	api, closeAPI, err := ingest.NewWebRTC(reached)
	if err != nil {
		return err
	}
	s.close = append(s.close, closeAPI)
	transcodes := &ingest.Transcodes{New: s.transcoder, Most: s.config.Live.Transcodes}
	library := &ingest.Library{Store: s.store, Objects: s.objects, Spool: s.spool, Transcodes: transcodes, Log: s.log}
	s.upload = &ingest.Uploader{
		Store: s.store, Spool: s.spool, Objects: s.objects, Log: s.log, Workers: s.config.Upload.Workers, MbitS: s.config.Upload.MbitS,
	}
	s.retention = &storage.Retention{Store: s.store, Objects: s.objects, Log: s.log}
	s.holds = &storage.HoldKeeper{Store: s.store, Objects: s.objects, Log: s.log}
	s.keeper = &ingest.Keeper{Store: s.store, Spool: s.spool, Upload: s.upload, Log: s.log, Retention: s.retention, Holds: s.holds}
	guard, err := guardOf(s.config.Cameras.Networks)
	if err != nil {
		return err
	}
	s.fleet = &ingest.Fleet{
		Store: s.store, Spool: s.spool, Log: s.log, Guard: guard, PerDevice: s.config.Cameras.PerDevice,
		OnSegment: func(ward.Segment) { s.upload.Wake() },
	}
	s.live = &ingest.LiveView{Fleet: s.fleet, Transcodes: transcodes}
	authority, legal := s.config.Rounds.Authority.told(ctx, s.log)
	s.rounds = &rounds.Engine{
		Store: s.store, Objects: s.objects, API: api, Log: s.log, Notify: hub.Notify, Resume: s.config.Rounds.Resume, AtOnce: s.config.atOnce(), KeptDays: s.config.Rounds.RetentionDays,
		Authority: authority, Legal: legal,
		Record: func(ctx context.Context, st *ingest.Stream) error {
			r := &ingest.Recorder{Store: s.store, Spool: s.spool, RetentionDays: s.config.Rounds.RetentionDays, Log: s.log, OnSegment: func(ward.Segment) { s.upload.Wake() }}
			return r.Run(ctx, st)
		},
	}
	if err := s.openRelay(reached); err != nil {
		return err
	}
	s.draws = &rounds.Drawer{Store: s.store, Chain: s.config.Draws.Chain.drand(), Relays: s.config.Draws.Relays, Log: s.log}
	s.planner = &rounds.Planner{Store: s.store, Engine: s.rounds, Drawer: s.draws, Log: s.log}
	s.correl = &analytics.Correlator{Store: s.store, Objects: s.objects, Notify: hub.Notify, Log: s.log}
	system, err := systemOf(s.config)
	if err != nil {
		return err
	}
	s.faces = &facesearch.Index{Store: s.store, Most: s.config.Vision.FacesInMemory, Log: s.log}
	s.web = &web.Server{
		Faces: s.faces, Paper: openPaper(ctx, s.config, s.log),
		Store: s.store, Objects: s.objects, Spool: s.spool, Library: library, Fleet: s.fleet, Keeper: s.keeper, WHEP: &ingest.WHEP{API: api}, Live: s.live, Rounds: s.rounds, Draws: s.draws, Planner: s.planner,
		Hub: hub, Software: "wardwatch " + version, System: system, Log: s.log, BehindTLS: strings.HasPrefix(s.config.PublicURL, "https://"),
	}
	if err = s.openHL7(hub); err != nil {
		return err
	}
	if s.web.Proxies, err = prefixes(s.config.Proxies); err != nil {
		return err
	}
	witnesses, err := s.config.Ledger.peers()
	if err != nil {
		return err
	}
	s.web.Cosigner = &storage.Cosigner{Store: s.store, Peers: witnesses, Client: &http.Client{}, Log: s.log}
	tsa, err := s.config.Ledger.Timestamps.authority()
	if err != nil {
		return err
	}
	if tsa != nil {
		s.web.Stamper = &storage.Stamper{Store: s.store, Authority: *tsa, Client: &http.Client{}, Log: s.log}
	}
	if guard, err = guardOf(s.config.Notify.Networks); err != nil {
		return err
	}
	text, err := web.Texts()
	if err != nil {
		return err
	}
	s.notify = &notify.Dispatcher{Store: s.store, Guard: guard, Unencrypted: s.config.Notify.Unencrypted, Mail: s.config.mailServer(text), Log: s.log}
	s.web.UnencryptedNotify, s.web.SendsMail = s.config.Notify.Unencrypted, s.config.Notify.SMTP.Address != ""
	s.web.Console, s.web.Bedside = web.Pages()
	s.web.Registry, s.web.MetricsToken = s.measure(), string(s.config.MetricsToken)
	s.see(library)
	return nil
}

// see wires the vision workers. Without them everything but seeing works.
func (s *service) see(library *ingest.Library) {
	if s.config.Vision.Workers == 0 {
		s.rounds.NewEye = func(ward.Codec) rounds.Eye { return blind{} }
		return
	}
	s.pool = newPool(s.config, s.log)
	s.covers(library)
	gallery := &analytics.Gallery{}
	s.lookout = &analytics.Lookout{Pool: s.pool, Store: s.store, Objects: s.objects, Gallery: gallery, Log: s.log}
	s.signals = &analytics.Signals{Store: s.store, Objects: s.objects, Gallery: gallery, Log: s.log}
	s.fleet.OnStream = s.lookout.Watch
	s.lookout.Sub = s.subStream
	s.web.Watched = s.watched
	measureVision(s.web.Registry, s.lookout, s.pool.Restarts)
	s.correl.Gallery = gallery
	s.correl.Recorded = (&analytics.Archive{Library: library, Pool: s.pool}).Picture
	s.rounds.NewEye = func(c ward.Codec) rounds.Eye { return eye{s.pool.NewSession(c)} }
	s.rounds.ReadCodes = readCodes(s.pool)
	s.web.EnrolPhoto = func(ctx context.Context, photo []byte) (ward.Template, string, error) {
		t, seen, err := faces.Enrol(ctx, s.pool, photo)
		return t, seen.ModelID, err
	}
	s.web.Thumbnail = s.pool.Thumbnail
	s.web.Ready = append(s.web.Ready, web.Part{Name: "vision", Check: func(context.Context) error { return s.pool.Ready() }})
}

// readCodes reads the bar codes of a JPEG in a worker.
func readCodes(p *vision.Pool) func(context.Context, []byte) ([]string, error) {
	return func(ctx context.Context, jpeg []byte) ([]string, error) {
		seen, err := p.Still(ctx, jpeg, vision.WantCodes)
		return seen.Codes, err
	}
}

// Run serves on l until ctx ends or a part fails, then stops in order: what
// takes work in first, then what the rest needs to finish.
func (s *service) Run(ctx context.Context, l net.Listener) error {
	recovered, err := ingest.Recover(ctx, s.store, s.spool, s.log)
	if ctx.Err() != nil {
		return l.Close() // the next start goes on with the recovery
	}
	if err != nil {
		return errors.Join(fmt.Errorf("recover recordings: %w", err), l.Close())
	}
	s.log.InfoContext(ctx, "spool recovered", "result", fmt.Sprintf("%+v", recovered))

	base, stopBase := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBase()
	under, underCtx := errgroup.WithContext(base)
	under.Go(func() error { return s.upload.Run(underCtx) })
	under.Go(func() error { return s.keeper.Run(underCtx) })
	under.Go(func() error { return s.retention.Run(underCtx) })
	under.Go(func() error { return s.holds.Run(underCtx) })
	under.Go(func() error {
		return (&storage.Reconciler{Store: s.store, Media: storage.Media{Objects: s.objects, Spool: s.spool}, Log: s.log}).Run(underCtx)
	})
	under.Go(func() error { return (&storage.Checkpointer{Store: s.store, Log: s.log}).Run(underCtx) })
	under.Go(func() error { return s.web.Cosigner.Run(underCtx) })
	if s.web.Stamper != nil {
		under.Go(func() error { return s.web.Stamper.Run(underCtx) })
	}
	if s.pool != nil {
		under.Go(func() error { return s.pool.Run(underCtx) })
	}

	front, frontCtx := errgroup.WithContext(ctx)
	part := func(run func() error) {
		front.Go(func() error {
			err := run()
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil // told to stop, even while it still began
			}
			return err
		})
	}
	part(func() error { return s.fleet.Run(frontCtx) })
	part(func() error { return s.rounds.Run(frontCtx) })
	part(func() error { return s.draws.Run(frontCtx) })
	part(func() error { return s.planner.Run(frontCtx) })
	part(func() error { return s.correl.Run(frontCtx) })
	part(func() error { return (&analytics.Clocks{Store: s.store, Log: s.log}).Run(frontCtx) })
	if s.redact != nil {
		part(func() error { return s.redact.Run(frontCtx) })
	}
	part(func() error { return s.notify.Run(frontCtx) })
	part(func() error { return s.faces.Run(frontCtx) })
	part(func() error {
		return (&storage.AlertClock{Store: s.store, Notify: s.correl.Notify, Log: s.log}).Run(frontCtx)
	})
	if s.signals != nil {
		part(func() error { return s.signals.Run(frontCtx) })
	}
	if s.hl7 != nil {
		part(func() error { return s.takeHL7(frontCtx) })
	}
	part(func() error { return s.web.Run(frontCtx, l) })
	front.Go(func() error { // a part below that fails ends the rest
		select {
		case <-underCtx.Done():
			return errors.New("a part of the service ended")
		case <-frontCtx.Done():
			return nil
		}
	})
	err = front.Wait()
	s.live.Close()
	stopBase()
	return errors.Join(err, under.Wait())
}

// Close releases everything in the reverse order of opening.
func (s *service) Close() error {
	var errs []error
	for _, c := range slices.Backward(s.close) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

func newPool(c Config, log *slog.Logger) *vision.Pool {
	return &vision.Pool{Path: c.Vision.Path, Models: c.Vision.Models, Workers: c.Vision.Workers, Log: log}
}

// eye is a vision session as rounds sees it.
type eye struct{ *vision.Session }

// See implements rounds.Eye.
func (e eye) See(ctx context.Context, au []byte, key, full bool) (ward.Seen, bool, error) {
	var want vision.Want
	if full {
		want = vision.WantFaces | vision.WantTemplates | vision.WantSnapshot | vision.WantPrint | vision.WantLight
	}
	return e.Session.See(ctx, au, key, want)
}

// blind is the eye of a process without workers: a visit then ends undecided or interrupted, never verified.
type blind struct{}

// See implements rounds.Eye.
func (blind) See(context.Context, []byte, bool, bool) (ward.Seen, bool, error) {
	return ward.Seen{}, false, &ward.Error{Kind: ward.Unavailable, Code: "vision.off", ZH: "未启用视觉进程（vision.workers 为 0）。", EN: "Vision workers are off (vision.workers is 0)."}
}

// Close implements rounds.Eye.
func (blind) Close() {}
