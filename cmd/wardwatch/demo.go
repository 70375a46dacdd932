package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics/vision"
	"wardwatch/internal/demo"
	"wardwatch/internal/scenario"
	"wardwatch/ward"
	"wardwatch/web"
)

type demoCommand struct {
	Check    bool   `help:"Do everything unattended, compare with the scenario's truth, print one JSON line; non-zero unless all of it happened."`
	E2E      bool   `name:"e2e" help:"For browser tests: print one JSON line when ready, run until standard input closes, answer at no bedside."`
	Scenario string `default:"deploy/demo/scenario.yaml" type:"existingfile" help:"The simulated hospital."`
	Dir      string `default:".demo" type:"path" help:"Working folder; its data folder is begun anew at each start."`
	Listen   string `default:"127.0.0.1:8080" help:"Address of the console; port 0: any."`
	Relay    string `hidden:"" help:"For browser tests: host:port of a relay (TURN) by TLS, with a certificate of its own."`
	Phone    bool   `help:"Serve the whole network over HTTPS with a certificate of its own, so that a phone can be a bedside."`
}

// Run plays the simulated hospital against a real service in this process.
func (d demoCommand) Run(e *terminal) error {
	sc, err := scenario.Load(d.Scenario)
	if err != nil {
		return err
	}
	data := filepath.Join(d.Dir, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(d.Dir, "wardwatch.log"))
	if err != nil {
		return err
	}
	defer logFile.Close() //nolint:errcheck // a log
	log := slog.New(slog.NewTextHandler(logFile, nil))
	models := vision.FindModels()
	h := &demo.Hospital{Scenario: sc, Sources: filepath.Join(models, "clips"), Work: d.Dir, Progress: e.errs}
	if err := h.Prepare(e.ctx); err != nil {
		return err
	}
	if d.Phone {
		_, port, err := net.SplitHostPort(d.Listen)
		if err != nil {
			return err
		}
		d.Listen = "0.0.0.0:" + port
	}
	l, err := listen(e.ctx, d.Listen)
	if err != nil {
		return err
	}
	c := defaults()
	c.Rounds.Authority = Authority{Name: "演示市医疗保障局（模拟）", Address: "演示市一号路 1 号", Telephone: "0000-0000000", Complaints: "基金监督科，电话 0000-12393"}
	c.Cameras.Networks = []string{"0.0.0.0/0", "::/0"} // the simulated cameras are on this machine
	c.Listen, c.Data, c.Vision.Models, c.Vision.Workers = l.Addr().String(), data, models, 2
	if d.Relay != "" {
		if err := relayed(&c, d.Relay, d.Dir); err != nil {
			return err
		}
	}
	if err := c.check(""); err != nil {
		return err
	}
	c.PublicURL = c.reachedAt(l.Addr())
	if d.Phone {
		if l, err = d.forPhone(l, &c, h); err != nil {
			return err
		}
	}
	var result *demo.Result
	err = d.play(e, c, log, h, func(s *service, ctx context.Context) error { return s.Run(ctx, l) }, &result)
	if err == nil && d.Check {
		err = d.prove(e, c, result)
	}
	if err != nil {
		_, _ = fmt.Fprintf(e.errs, "demo: the log is %s\n", logFile.Name())
	}
	return err
}

// forPhone puts TLS around the listener and makes the machine's address in
// the network the public one.
func (d demoCommand) forPhone(l net.Listener, c *Config, h *demo.Hospital) (net.Listener, error) {
	hosts, err := addresses()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	cert, pool, err := selfSigned(hosts, time.Now())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	c.PublicURL, h.Trust = "https://"+net.JoinHostPort(hosts[0].String(), port), pool
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

// play runs the service, the cameras and the hospital until the work is done.
func (d demoCommand) play(e *terminal, c Config, log *slog.Logger, h *demo.Hospital, serve func(*service, context.Context) error, result **demo.Result) (err error) {
	s, err := openService(e.ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	own, err := web.FirstStart(e.ctx, s.store)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return serve(s, ctx) })
	all.Go(func() error {
		defer stop() // the hospital's end is the demo's
		if err := workers(ctx, s.pool); err != nil {
			return err
		}
		h.See = poses(s.pool)
		if h.Admin, err = demo.NewClient(c.PublicURL, h.Trust); err != nil {
			return err
		}
		if err := h.Admin.Do(ctx, "POST", "/api/v1/sign-in", map[string]string{"one_time": own}, nil); err != nil {
			return err
		}
		return d.hospital(ctx, e, c, s, h, result)
	})
	err = all.Wait()
	if errors.Is(err, context.Canceled) && e.ctx.Err() != nil {
		return nil // Ctrl-C is how a demo ends
	}
	return err
}

// hospital sets up, begins, and does what the mode asks.
func (d demoCommand) hospital(ctx context.Context, e *terminal, c Config, s *service, h *demo.Hospital, result **demo.Result) error {
	if err := h.Films(ctx); err != nil {
		return err
	}
	if err := h.SetUp(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return h.Run(ctx) })
	all.Go(func() error {
		defer stop()
		began, err := h.Begin(ctx)
		if err != nil {
			return err
		}
		if d.Check {
			*result, err = h.Check(ctx, began)
			return err
		}
		token, err := web.NewOneTime(ctx, s.store, web.AdministratorLogin)
		if err != nil {
			return err
		}
		if d.E2E {
			return d.forBrowser(ctx, e, c, h, began, token)
		}
		return d.forPerson(ctx, e, c, h, began, token)
	})
	return all.Wait()
}

// forPerson prints where to look and keeps the hospital going.
func (d demoCommand) forPerson(ctx context.Context, e *terminal, c Config, h *demo.Hospital, began time.Time, token string) error {
	_, _ = fmt.Fprintf(e.out, "\n打开 Open        %s/#one-time=%s\n（一次性登录，10 分钟内有效；one-time sign-in, valid for 10 minutes）\n"+
		"疑点 Alerts     一分钟内陆续出现；planted frauds appear within the next minute\n"+
		"查房 Ward round 三病区 1 床本人、4 床无人，四病区 2 床冒名、3 床录像；三病区 5 床是您（先在“参保人”上传照片）\n"+
		"                beds 1 to 4 are simulated; bed 5 is yours: enrol a photo, open its link in a second tab (or restart with --phone and use a phone)\n"+
		"按 Ctrl-C 结束 stops\n\n", c.PublicURL, token)
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return h.Ward(ctx) })
	all.Go(func() error {
		for lap := 0; ; lap++ { // the frauds come once, the honest bills for as long as the demo runs
			start := began.Add(time.Duration(lap) * scenario.Seconds(h.Scenario.Length))
			if err := h.Bill(ctx, start, fmt.Sprintf("S%d", lap), lap > 0); err != nil || ctx.Err() != nil {
				return err
			}
		}
	})
	return all.Wait()
}

// forBrowser tells a test where everything is and sends the bills once.
func (d demoCommand) forBrowser(ctx context.Context, e *terminal, c Config, h *demo.Hospital, began time.Time, token string) error {
	err := json.NewEncoder(e.out).Encode(map[string]string{
		"url": c.PublicURL, "one_time": token, "clips_dir": h.Sources, "poses_dir": filepath.Join(h.Work, "bedside"), "bed": h.Scenario.Beds[0].Bed, "ward": h.Scenario.Beds[0].Ward,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	go func() { // ends with the process: a read of standard input cannot be cancelled
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := h.Bill(ctx, began, "S", false); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// workers waits until a vision worker answers; what is missing is said at once.
func workers(ctx context.Context, p *vision.Pool) error {
	for {
		err := p.Ready()
		if !errors.Is(err, &ward.Error{Code: "vision.starting"}) {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poses looks at one picture of a bedside's clip.
func poses(p *vision.Pool) func(context.Context, []byte) (ward.Seen, bool, error) {
	session := p.NewSession(ward.H264)
	return func(ctx context.Context, au []byte) (ward.Seen, bool, error) {
		return session.See(ctx, au, true, vision.WantFaces)
	}
}

// prove runs the product's own fsck and verify, as a stranger would, on
// what the stopped service left, and prints the result.
func (d demoCommand) prove(e *terminal, c Config, r *demo.Result) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fsck := exec.CommandContext(e.ctx, self, "fsck")
	fsck.Env = append(os.Environ(), "WARDWATCH_DATA="+c.Data)
	if out, err := fsck.CombinedOutput(); err != nil {
		return fmt.Errorf("fsck: %w\n%s", err, out)
	}
	r.Fsck = "ok"
	if out, err := exec.CommandContext(e.ctx, self, "verify", r.Package, "--key", r.Key).CombinedOutput(); err != nil {
		return fmt.Errorf("verify: %w\n%s", err, out)
	}
	if err := refuses(e.ctx, self, r); err != nil {
		return err
	}
	r.Verify = "ok"
	return json.NewEncoder(e.out).Encode(r)
}

// refuses makes sure that verify can fail: one changed byte, and a foreign key.
func refuses(ctx context.Context, self string, r *demo.Result) error {
	b, err := os.ReadFile(r.Package)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 1
	changed := r.Package + ".changed"
	if err := os.WriteFile(changed, b, 0o600); err != nil {
		return err
	}
	if err := exec.CommandContext(ctx, self, "verify", changed, "--key", r.Key).Run(); err == nil {
		return errors.New("verify accepted a package with a changed byte")
	}
	if err := exec.CommandContext(ctx, self, "verify", r.Package, "--key", string(bytes.Repeat([]byte("0"), 64))).Run(); err == nil {
		return errors.New("verify accepted a foreign key")
	}
	return os.Remove(changed)
}
