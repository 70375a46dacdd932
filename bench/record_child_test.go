package bench_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// order is what a child does until SIGTERM. It prints "ready" when media of
// every camera flow, and a line about the result at the end.
type order struct {
	Role string   `json:"role"` // "record", "live" (record and be watched) or "copy"
	Dir  string   `json:"dir"`
	URLs []string `json:"urls"`
}

func (o order) run(ctx context.Context) error {
	if o.Role == "copy" {
		return o.copyAll(ctx)
	}
	return o.record(ctx)
}

// record is the product's recorder: fleet, spool with hashes, rows, ledger.
func (o order) record(ctx context.Context) (err error) {
	ingest.SaveMemory()
	store, err := storage.Migrate(ctx, storage.Options{Database: filepath.Join(o.Dir, "catalogue.db"), Keys: filepath.Join(o.Dir, "keys")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	sp, err := spool.Open(filepath.Join(o.Dir, "spool"), spool.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sp.Close()) }()
	if err := o.install(ctx, store); err != nil {
		return err
	}
	if _, err := ingest.Recover(ctx, store, sp, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	fleet := &ingest.Fleet{Store: store, Spool: sp, PerDevice: len(o.URLs), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))} // a busy machine gives warnings
	var wg sync.WaitGroup
	wg.Go(func() { err = errors.Join(err, fleet.Run(ctx)) })
	o.awaitLive(ctx, fleet)
	if o.Role == "live" {
		err = o.live(ctx, fleet, store)
	}
	<-ctx.Done()
	wg.Wait()
	var sum ingest.CameraStats
	for _, s := range fleet.Stats() {
		sum.Lost, sum.Dropped, sum.Reconnects = sum.Lost+s.Lost, sum.Dropped+s.Dropped, sum.Reconnects+s.Reconnects
	}
	segments, rowsErr := store.AllSegments(context.WithoutCancel(ctx), "", 10000)
	fmt.Printf("%d segments in the ledger, %d packets lost, %d pictures dropped, %d sessions\n", len(segments), sum.Lost, sum.Dropped, sum.Reconnects)
	return errors.Join(err, rowsErr)
}

func (o order) install(ctx context.Context, store *storage.Store) error {
	err := errors.Join(
		store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}),
		store.PutPlace(ctx, ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	for i, url := range o.URLs {
		err = errors.Join(err, store.AddCamera(ctx, ward.Camera{
			ID: cameraID(i), InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: url, Transport: ward.TransportTCP,
			SegmentSeconds: segmentSeconds, RetentionDays: 30, Enabled: true,
		}))
	}
	return err
}

func cameraID(i int) ward.CameraID { return ward.CameraID(fmt.Sprintf("cam-%02d", i)) }

func (o order) awaitLive(ctx context.Context, fleet *ingest.Fleet) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for live := 0; live < len(o.URLs); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		live = 0
		for i := range o.URLs {
			if fleet.State(cameraID(i)).Condition == ingest.Live {
				live++
			}
		}
	}
	fmt.Println("ready")
}

// copyAll is the floor: it reads the same sockets and writes what comes,
// understanding nothing of it.
func (o order) copyAll(ctx context.Context) error {
	var all, playing sync.WaitGroup
	errs := make([]error, len(o.URLs))
	playing.Add(len(o.URLs))
	for i, url := range o.URLs {
		all.Go(func() {
			errs[i] = copyOne(ctx, url, filepath.Join(o.Dir, string(cameraID(i))), playing.Done)
		})
	}
	playing.Wait()
	fmt.Println("ready")
	all.Wait()
	fmt.Println("copied")
	return errors.Join(errs...)
}

func copyOne(ctx context.Context, url, file string, playing func()) error {
	conn, r, err := play(ctx, url)
	playing()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	for buf := make([]byte, 64<<10); ; {
		n, err := r.Read(buf)
		if err != nil {
			if ctx.Err() != nil {
				err = nil
			}
			return errors.Join(err, f.Close())
		}
		if _, err := f.Write(buf[:n]); err != nil {
			return errors.Join(err, f.Close())
		}
	}
}

// play sets up the first media of url, interleaved in the returned connection.
func play(ctx context.Context, url string) (net.Conn, *bufio.Reader, error) {
	u, err := base.ParseURL(url)
	if err != nil {
		return nil, nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReader(conn)
	seq := 0
	ask := func(m base.Method, u *base.URL, key, value string) (base.Response, error) {
		seq++
		req := base.Request{Method: m, URL: u, Header: base.Header{"CSeq": {strconv.Itoa(seq)}, key: {value}}}
		text, err := req.Marshal()
		var res base.Response
		if err == nil {
			_, err = conn.Write(text)
		}
		if err == nil {
			err = res.Unmarshal(r)
		}
		if err == nil && res.StatusCode != base.StatusOK {
			err = fmt.Errorf("%s %s: %s", m, u, res.StatusMessage)
		}
		return res, err
	}
	res, err := ask(base.Describe, u, "Accept", "application/sdp")
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	_, media, _ := strings.Cut(string(res.Body), "m=video")
	_, control, _ := strings.Cut(media, "a=control:")
	control, _, _ = strings.Cut(control, "\r\n")
	track := *u
	track.Path += "/" + control
	if res, err = ask(base.Setup, &track, "Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"); err == nil {
		session, _, _ := strings.Cut(strings.Join(res.Header["Session"], ""), ";")
		_, err = ask(base.Play, u, "Session", session)
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, r, nil
}
