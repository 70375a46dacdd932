package main

import (
	"fmt"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

type retentionCommand struct {
	DryRun bool `required:"" help:"Print what would be deleted now, and change nothing. The service itself deletes."`
}

// retentionPage is how many recordings are read at a time.
const retentionPage = 500

// Run prints the recordings and pictures whose retention has ended and that
// nobody holds, as the service would plan them.
func (retentionCommand) Run(e *terminal) error {
	return withStore(e, func(_ Config, s *storage.Store) error {
		var segments, size int64
		now := time.Now()
		var last ward.Segment
		for {
			due, err := s.Due(e.ctx, now, last, retentionPage)
			if err != nil {
				return err
			}
			for _, g := range due {
				last, segments, size = g, segments+1, size+g.Bytes
				if _, err := fmt.Fprintf(e.out, "%s kept until %s, %d bytes\n", g.Key, g.KeepUntil.Format(time.RFC3339), g.Bytes); err != nil {
					return err
				}
			}
			if len(due) < retentionPage {
				break
			}
		}
		pictures, err := s.DuePictures(e.ctx, now, retentionPage)
		if err != nil {
			return err
		}
		for _, p := range pictures {
			if _, err := fmt.Fprintf(e.out, "%s kept until %s\n", p.Key, p.KeepUntil.Format(time.RFC3339)); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(e.out, "retention: %d recordings, %d bytes, %d pictures (of at most %d listed) would be deleted\n", segments, size, len(pictures), retentionPage)
		return err
	})
}
