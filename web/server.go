// Package web is Wardwatch over HTTP: the API, sign-in, live events, the
// console and the bedside page. A handler binds, authorises, makes one call
// and answers; what the call does is the business of the packages below.
//
// Every route declares who may call it, and an object is authorised in the
// handler that serves it: see routes.go.
package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/facesearch"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web/paper"
)

const v1 = "/api/v1"

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second // of a whole request; uploads have their own
	uploadTimeout = 2 * time.Minute  // 8 MB at 70 kB/s
	writeTimeout  = 60 * time.Second // of an ordinary answer; see patient
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 10 * time.Second // for requests in flight at shutdown
)

// Server serves HTTP. The fields are set before Handler or Run and not changed after.
type Server struct {
	Store   *storage.Store
	Objects objects.Objects
	Spool   *spool.Spool // where finished segments wait for the store; nil: this process has none

	Library *ingest.Library // nil: this process reads no recordings
	Fleet   *ingest.Fleet   // nil: this process runs no cameras
	WHEP    *ingest.WHEP    // nil: this process shows no live pictures
	Live    *ingest.LiveView
	Rounds  *rounds.Engine  // nil: this process conducts no rounds
	Draws   *rounds.Drawer  // nil: this process makes no draws
	Planner *rounds.Planner // nil: this process starts no rounds by itself
	Keeper  *ingest.Keeper  // nil: this process keeps no recordings

	Paper *paper.Printer    // nil: this process prints no documents
	Faces *facesearch.Index // nil: this process searches no faces

	// Hub is what the other parts tell of changes.
	Hub *Hub
	// EnrolPhoto finds the one face in a JPEG or PNG; nil: no vision worker.
	EnrolPhoto func(ctx context.Context, photo []byte) (t ward.Template, modelID string, err error)
	// Watched says in which stream of a camera people are looked for, main or
	// sub, or empty, and why it is not the sub stream; nil: nothing is known.
	Watched func(ward.CameraID) (stream string, fault ward.SubFault)
	// Cosigner and Stamper know how the witnesses and the time-stamping authority do; nil: there are none.
	Cosigner *storage.Cosigner
	Stamper  *storage.Stamper
	// Thumbnail decodes a key frame to a JPEG whose longest side is at most
	// side pixels; nil: no vision worker.
	Thumbnail func(ctx context.Context, codec ward.Codec, key []byte, side int) ([]byte, error)
	// Ready are further parts that /readyz asks.
	Ready []Part

	Console fs.FS // the built console with index.html at its root
	Bedside fs.FS // the built bedside page, likewise

	// BehindTLS says that a proxy in front speaks TLS: cookies are Secure.
	BehindTLS bool
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// UnencryptedNotify allows webhooks over http and MQTT without TLS.
	UnencryptedNotify bool
	// SendsMail says that there is a mail server.
	SendsMail bool
	// Registry is where the metrics are; nil makes one of web's own.
	Registry *prometheus.Registry
	// MetricsToken must come as a bearer token with /metrics. When it is
	// empty only this machine may read them, and nobody through a proxy.
	MetricsToken string
	// Redactions makes what is to be covered; nil: this process makes nothing.
	Redactions Redactor
	// Software is the name and version that a package's manifest gives.
	Software string
	// System is what else it says of what made the package.
	System *pack.System
	// Heartbeat of event streams; zero means 15 s.
	Heartbeat time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Log *slog.Logger

	signIns   *limiter // by login and address
	logins    *limiter // sign-ins by login alone
	addrOf    echo.IPExtractor
	addresses *limiter      // sign-ins by address
	opens     *limiter      // bedside links by address
	devices   *limiter      // what a bedside's device asks
	written   *limiter      // lines of text by visit and user
	pairings  *limiter      // pairing codes of tablets by address
	probers   *limiter      // of cameras, by user
	probes    chan struct{} // has a place for each that may run
	passwords *passwords
	coverages *slots
	searches  *slots
	terminals *limiter // identity checks, by user
	guesses   *limiter // and of one person, by user
	asking    *slots
	clips     *clipSlots
	thumbs    thumbnails
	views     views
	viewers   viewers
	probe     probe
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) media() storage.Media { return storage.Media{Objects: s.Objects, Spool: s.Spool} }

// routes registers everything.
func (s *Server) routes() (*routes, error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Hub == nil {
		s.Hub = &Hub{}
	}
	s.signIns, s.logins = newLimiter(signInsPerMinute, s.now), newLimiter(loginSignIns, s.now)
	s.addrOf = forwardedBy(s.Proxies)
	s.addresses, s.opens = newLimiter(addressSignIns, s.now), newLimiter(opensPerMinute, s.now)
	s.pairings, s.devices = newLimiter(pairingsPerMinute, s.now), newLimiter(devicePerMinute, s.now)
	s.written = newLimiter(linesPerMinute, s.now)
	s.probers, s.probes = newLimiter(probesPerMinute, s.now), make(chan struct{}, maxProbes)
	s.clips, s.coverages = newClipSlots(), newSlots(1, 1, coverageBusy, coverageBusy)
	s.searches = newSlots(maxSearches, 1, searchesBusy, searchesFull)
	s.terminals, s.guesses = newLimiter(checksPerMinute, s.now), newLimiter(checksOfOne, s.now)
	s.asking = newSlots(maxChecks, 1, checksBusy, checksFull)
	s.thumbs.decoding = make(chan struct{}, maxThumbnails)
	s.passwords = newPasswords()
	s.views.seen = map[string]time.Time{}
	e := echo.New()
	e.HTTPErrorHandler = s.echoError
	r := &routes{s: s, echo: e, declared: map[string]policy{}}
	r.api = humaecho.New(e, apiConfig())
	s.sessionRoutes(r)
	s.userRoutes(r)
	s.institutionRoutes(r)
	s.cameraRoutes(r)
	s.zoneRoutes(r)
	s.deviceRoutes(r)
	s.blindRoutes(r)
	s.outageRoutes(r)
	s.importRoutes(r)
	s.probeRoutes(r)
	s.recordingRoutes(r)
	s.playbackRoutes(r)
	s.storageRoutes(r)
	s.liveRoutes(r)
	s.insuredRoutes(r)
	s.settlementRoutes(r)
	s.identityRoutes(r)
	s.physicianRoutes(r)
	s.dutyRoutes(r)
	s.treatmentRoutes(r)
	s.ruleRoutes(r)
	s.alertRoutes(r)
	s.alertGroupRoutes(r)
	s.alertChoiceRoutes(r)
	s.precisionRoutes(r)
	s.notificationRoutes(r)
	s.alertPolicyRoutes(r)
	s.findingRoutes(r)
	s.faceSearchRoutes(r)
	s.admissionRoutes(r)
	s.admissionImportRoutes(r)
	s.roundRoutes(r)
	s.drawRoutes(r)
	s.flipRoutes(r)
	s.visitRoutes(r)
	s.rulingRoutes(r)
	s.checkPolicyRoutes(r)
	s.bedsideRoutes(r)
	s.siteRoutes(r)
	s.messageRoutes(r)
	s.planRoutes(r)
	s.tellingRoutes(r)
	s.tabletRoutes(r)
	s.kioskRoutes(r)
	s.shareRoutes(r)
	s.caseRoutes(r)
	s.casePageRoutes(r)
	s.accessRoutes(r)
	s.caseFileRoutes(r)
	s.printRoutes(r)
	s.dossierRoutes(r)
	s.letterRoutes(r)
	s.holdRoutes(r)
	s.redactionRoutes(r)
	s.evidenceRoutes(r)
	s.ledgerRoutes(r)
	s.eventRoutes(r)
	tidy(r.api.OpenAPI())
	s.systemRoutes(r)
	s.staticRoutes(r)
	return r, r.check()
}

const (
	// signInsPerMinute bounds guesses per login from one address, so that
	// nobody locks a user of another address out.
	signInsPerMinute = 10
	// loginSignIns bounds them per login from all addresses together.
	loginSignIns = 100
	// addressSignIns bounds them per address; an office shares one.
	addressSignIns = 60
	// opensPerMinute bounds bedside links tried per address; a ward's tablets share one.
	opensPerMinute = 120
	// devicePerMinute bounds what one bedside's device may ask: a page that
	// loses its network asks once a second.
	devicePerMinute = 240
	// linesPerMinute bounds what one user writes to one bedside.
	linesPerMinute = 60
	// pairingsPerMinute bounds guesses of a tablet's pairing code per address.
	pairingsPerMinute = 30
)

// Handler returns everything that the server answers. It fails when a route
// has no policy.
func (s *Server) Handler() (http.Handler, error) {
	r, err := s.routes()
	if err != nil {
		return nil, err
	}
	return s.wrap(r), nil
}

// Run serves on l until ctx ends, then lets requests in flight finish for at
// most 10 s.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	h, err := s.Handler() //nolint:contextcheck // each request brings its own
	if err != nil {
		return errors.Join(err, l.Close())
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	s.sweepExports(ctx) // what a crash cut off
	for {
		select {
		case err := <-served:
			return fmt.Errorf("serve http: %w", err)
		case <-tidy.C:
			if err := s.Store.SweepSessions(ctx, s.now()); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "sessions not swept", "error", err)
			}
			s.sweepExports(ctx)
		case <-ctx.Done():
			return s.stop(ctx, srv, served)
		}
	}
}

func (s *Server) stop(ctx context.Context, srv *http.Server, served <-chan error) error {
	s.Hub.close()
	s.viewers.close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := srv.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("drain http: %w", err), srv.Close())
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve http: %w", e))
	}
	return err
}

// missing says whether err is a ward.NotFound.
func missing(err error) bool { return errors.Is(err, &ward.Error{Kind: ward.NotFound}) }
