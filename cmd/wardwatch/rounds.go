package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

type roundsCommand struct {
	Replay roundsReplay `cmd:"" help:"Run the checks of a sealed visit again over its recording."`
}

type roundsReplay struct {
	Visit ward.VisitID `arg:"" help:"Id of the visit."`
}

// Help says what the exit code means.
func (roundsReplay) Help() string {
	return "Exit codes: 0 the same verdict, 1 something differs: something was changed since, or the models were. The face is compared with the version of the enrolment that the verdict names."
}

// Run only reads.
func (r roundsReplay) Run(e *terminal) error {
	return withStore(e, func(c Config, s *storage.Store) error {
		return withPool(e, 1, func(ctx context.Context, p *vision.Pool) (err error) {
			objs, err := openObjects(ctx, c)
			if err != nil {
				return err
			}
			sp, err := spool.Open(filepath.Join(c.Data, "spool"), spool.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, sp.Close()) }()
			out, err := (&rounds.Replayer{
				Store: s, Library: &ingest.Library{Store: s, Objects: objs, Spool: sp, Log: e.log},
				NewEye:    func(codec ward.Codec) rounds.Eye { return eye{p.NewSession(codec)} },
				ReadCodes: readCodes(p),
			}).Replay(ctx, r.Visit)
			if err != nil {
				return err
			}
			return printReplay(e, out)
		})
	})
}

func printReplay(e *terminal, o rounds.Replayed) error {
	was := map[ward.CheckKind]ward.Outcome{}
	for _, c := range o.Sealed {
		was[c.Kind] = c.Outcome
	}
	for _, c := range o.Now {
		if _, err := fmt.Fprintf(e.out, "%s: sealed %s, now %s\n", c.Kind, was[c.Kind], c.Outcome); err != nil {
			return err
		}
	}
	by := ""
	if o.Visit.DecidedBy != "" {
		by = " by a human"
	}
	if _, err := fmt.Fprintf(e.out, "pictures: %d\nverdict: sealed %s%s, now %s\n", o.Pictures, o.Visit.Verdict, by, o.Verdict); err != nil {
		return err
	}
	if o.Otherwise > 0 {
		if _, err := fmt.Fprintf(e.out, "%d pictures measure otherwise than at the visit: by other models, or another processor\n", o.Otherwise); err != nil {
			return err
		}
	}
	if o.Guessed && o.Pictures > 0 {
		if _, err := fmt.Fprintln(e.out, "No list is kept of the pictures that were looked at: all were looked at again, so that answers may be found that were too late."); err != nil {
			return err
		}
	}
	for _, d := range o.Differ {
		if _, err := fmt.Fprintf(e.out, "differs: %s\n", d); err != nil {
			return err
		}
	}
	if len(o.Differ) > 0 {
		return exitError(exitFailed)
	}
	return nil
}
