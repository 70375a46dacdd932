package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/internal/demo"
	"wardwatch/ward"
	"wardwatch/web"
)

type evalRounds struct {
	Genuine    int    `default:"16" help:"Genuine visits over WebRTC."`
	Attacks    int    `default:"4" help:"Visits of each attack over WebRTC."`
	AtOnce     int    `default:"4" help:"Of those at a time."`
	Rehearsals int    `default:"1000" help:"Genuine visits, and visits of each attack, that are judged without WebRTC, from pictures measured once; 0: none."`
	Seed       uint64 `default:"1" help:"Another seed draws other moments, people and nonces."`
	Workers    int    `default:"2" help:"Vision workers."`
	Dir        string `default:".eval" type:"path" help:"Working folder; films are kept in it, its data are begun anew."`
	JSON       string `type:"path" placeholder:"FILE" help:"The report, for programs."`
}

// Help says what the figures are not, and what the exit code means.
func (evalRounds) Help() string {
	return evalNoticeZH + "\n\n" + evalNoticeEN + "\n\n" + evalSkippedZH + "\n\n" + evalSkippedEN +
		"\n\nExit code 1 when a goal was missed: the worst attack passes in at most 7 %, a replay of an earlier round never, and at most 5 % of genuine visits are not passed by themselves."
}

// Run prints the report.
func (v evalRounds) Run(e *terminal) (err error) {
	if err := os.MkdirAll(v.Dir, 0o755); err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(e.errs, "eval %4.0f s: "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	logFile, err := os.Create(filepath.Join(v.Dir, "rounds.log"))
	if err != nil {
		return err
	}
	defer logFile.Close() //nolint:errcheck // a log
	given, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	c := defaults()
	c.Data, c.Vision, c.Vision.Workers = filepath.Join(v.Dir, "rounds"), given.Vision, v.Workers
	if err := os.RemoveAll(c.Data); err != nil {
		return err
	}
	l, err := listen(e.ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.Listen = l.Addr().String()
	if err := c.check(""); err != nil {
		return errors.Join(err, l.Close())
	}
	c.PublicURL = c.reachedAt(l.Addr())
	s, err := openService(e.ctx, c, slog.New(slog.NewTextHandler(logFile, nil)))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	own, err := web.FirstStart(e.ctx, s.store)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return s.Run(ctx, l) })
	r := evalReport{Simulated: true, ZH: evalNoticeZH, EN: evalNoticeEN, Seed: v.Seed, AtOnce: v.AtOnce}
	limits := s.rounds.Thresholds
	if limits == (ward.FaceThresholds{}) {
		limits = ward.DefaultFaceThresholds
	}
	all.Go(func() error {
		defer stop()
		if err := workers(ctx, s.pool); err != nil {
			return err
		}
		admin, err := demo.NewClient(c.PublicURL, nil)
		if err != nil {
			return err
		}
		if err := admin.Do(ctx, "POST", "/api/v1/sign-in", map[string]string{"one_time": own}, nil); err != nil {
			return err
		}
		beds := &evalWard{admin: admin, store: s.store, rand: rand.New(rand.NewPCG(v.Seed, 0)), say: say} //nolint:gosec // a simulation that can be repeated
		say("preparing the films")
		if beds.men, err = evalMen(ctx, v.Dir, v.Genuine > 0, poses(s.pool)); err != nil {
			return err
		}
		played, err := v.visits(ctx, beds)
		if err != nil {
			return err
		}
		rehearsed, err := v.rehearse(ctx, beds, s.pool, limits)
		r.Visits, r.Rehearsed = count(played), count(rehearsed)
		return err
	})
	if err := all.Wait(); err != nil {
		return err
	}
	r.judge()
	r.Seconds = time.Since(began).Seconds()
	if v.JSON != "" {
		b, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(v.JSON, b, 0o644); err != nil {
			return err
		}
	}
	if err := r.print(e.out); err != nil {
		return err
	}
	if !r.met() {
		return exitError(exitFailed)
	}
	return nil
}
