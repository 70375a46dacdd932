package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics/vision"
	"wardwatch/internal/counters"
	"wardwatch/internal/demo"
	"wardwatch/internal/simcam"
	"wardwatch/web"
)

type evalCommand struct {
	Counters evalCounters `cmd:"" help:"Score the alerts on labelled scenes at counters."`
	Rounds   evalRounds   `cmd:"" help:"Attack ward rounds with simulated bedsides, and count who passes."`
}

type evalCounters struct {
	Faces       string        `type:"existingdir" placeholder:"DIR" help:"Labelled faces, Name/*.jpg; default: the demo clips' men."`
	Half        string        `default:"report" enum:"calibration,report,both" help:"People: calibration, report or both halves."`
	Settlements int           `default:"600" help:"About so many."`
	Cameras     int           `default:"8" help:"Counters at the same time, each with a camera."`
	Seed        uint64        `default:"1" help:"Another seed is another day."`
	Workers     int           `default:"2" help:"Vision workers."`
	Wait        time.Duration `default:"85s" help:"From the last swipe until the alerts are read."`
	Dir         string        `default:".eval" type:"path" help:"Working folder; its data are begun anew."`
	JSON        string        `type:"path" placeholder:"FILE" help:"The report, for programs."`
}

// Run prints the report. That rules err is an answer, not a failure.
func (v evalCounters) Run(e *terminal) error {
	if err := os.MkdirAll(v.Dir, 0o755); err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(e.errs, "eval %4.0f s: "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	var world *counters.World
	var films []string
	err := withPool(e, v.Workers, func(ctx context.Context, p *vision.Pool) error {
		if err := workers(ctx, p); err != nil {
			return err
		}
		studio, people, err := v.cast(ctx, p, say)
		if err != nil {
			return err
		}
		world = counters.Plan(counters.Options{Counters: v.Cameras, Settlements: v.Settlements, Seed: v.Seed, People: people})
		say("%d settlements at %d counters; the films are %.0f s long and are played once, at their own speed", len(world.Swipes), v.Cameras, world.Length)
		films, err = v.films(ctx, studio, world, say)
		return err
	})
	if err != nil {
		return err
	}
	report, err := v.play(e, world, films, say)
	if err != nil {
		return err
	}
	if v.JSON != "" {
		b, err := json.MarshalIndent(report, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(v.JSON, b, 0o644); err != nil {
			return err
		}
	}
	say("done")
	return report.Print(e.out)
}

// films draws every counter's film, one after the other.
func (v evalCounters) films(ctx context.Context, studio *counters.Studio, w *counters.World, say func(string, ...any)) ([]string, error) {
	if err := os.MkdirAll(studio.Dir, 0o755); err != nil {
		return nil, err
	}
	files := make([]string, len(w.Counters))
	for i := range w.Counters {
		var err error
		if files[i], err = studio.Film(ctx, w, i); err != nil {
			return nil, err
		}
		say("film %d of %d", i+1, len(w.Counters))
	}
	return files, nil
}

// play runs the whole service on the films and scores what it says.
func (v evalCounters) play(e *terminal, w *counters.World, films []string, say func(string, ...any)) (report counters.Report, err error) {
	logFile, err := os.Create(filepath.Join(v.Dir, "wardwatch.log"))
	if err != nil {
		return report, err
	}
	defer logFile.Close() //nolint:errcheck // a log
	given, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return report, err
	}
	c := defaults()
	c.Data, c.Vision = filepath.Join(v.Dir, "data"), given.Vision
	if err := os.RemoveAll(c.Data); err != nil {
		return report, err
	}
	l, err := listen(e.ctx, "127.0.0.1:0")
	if err != nil {
		return report, err
	}
	c.Cameras.Networks = []string{"0.0.0.0/0", "::/0"} // the simulated cameras are on this machine
	c.Listen, c.Vision.Workers = l.Addr().String(), v.Workers
	if err := c.check(""); err != nil {
		return report, errors.Join(err, l.Close())
	}
	c.PublicURL = c.reachedAt(l.Addr())
	s, err := openService(e.ctx, c, slog.New(slog.NewTextHandler(logFile, nil)))
	if err != nil {
		return report, errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	own, err := web.FirstStart(e.ctx, s.store)
	if err != nil {
		return report, err
	}
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return s.Run(ctx, l) })
	all.Go(func() error {
		defer stop() // the end of the films is the service's
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
		day := &evalDay{world: w, admin: admin, faces: v.faces(), wait: v.Wait, say: say}
		report, err = day.play(ctx, films)
		looked := s.lookout.Stats()
		report.Looked, report.Dropped, report.Failed = looked.Looked, looked.Dropped, looked.Failed
		report.Half, report.Seed = v.Half, v.Seed
		return err
	})
	err = all.Wait()
	return report, err
}

// faces is the folder of the faces' files.
func (v evalCounters) faces() string {
	if v.Faces != "" {
		return v.Faces
	}
	return filepath.Join(v.Dir, "demo-faces")
}

// cameras are the films as simulated cameras.
func (d *evalDay) cameras(files []string) (*simcam.Server, error) {
	server := &simcam.Server{Addr: "127.0.0.1:0"}
	for i, c := range d.world.Counters {
		clip, err := simcam.ReadClip(files[i], "")
		if err != nil {
			return nil, err
		}
		cam := simcam.Camera{Path: string(c.ID), Clip: clip}
		for _, down := range c.Down {
			cam.Episodes = append(cam.Episodes, simcam.Episode{At: seconds(down.From), For: seconds(down.To - down.From), Faults: simcam.Faults{Off: true}})
		}
		server.Cameras = append(server.Cameras, cam)
	}
	return server, server.Start()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
