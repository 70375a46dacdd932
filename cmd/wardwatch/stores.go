package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/web/paper"
)

func storeOptions(c Config, log *slog.Logger) storage.Options {
	return storage.Options{Database: c.Database, Keys: keyFolder(c), Log: log, CaseNumbers: c.Cases.Number}
}

// withStore gives the configuration and its database to do, and closes it.
func withStore(e *terminal, do func(Config, *storage.Store) error) (err error) {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	s, err := storage.Open(e.ctx, storeOptions(c, e.log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(c, s)
}

// openObjects opens the object store. When an S3 server is away, refuses or
// does not answer, the store is given with the error.
func openObjects(ctx context.Context, c Config) (objects.Objects, error) {
	if c.Objects.Kind != "s3" {
		d, err := objects.OpenDir(filepath.Join(c.Data, "objects"))
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	s, err := objects.OpenS3(ctx, objects.S3Config{
		Endpoint: c.Objects.Endpoint, Region: c.Objects.Region, Bucket: c.Objects.Bucket,
		AccessKey: c.Objects.AccessKey, SecretKey: string(c.Objects.SecretKey), TLS: c.Objects.TLS,
	})
	if s == nil {
		return nil, err
	}
	return s, err
}

// openPaper is nil when the font for documents cannot be read: all but printing works.
func openPaper(ctx context.Context, c Config, log *slog.Logger) *paper.Printer {
	p, err := paper.Open(filepath.Join(cmp.Or(c.Vision.Models, vision.FindModels()), models.Font))
	if err != nil {
		log.ErrorContext(ctx, "documents cannot be printed; run make models", "error", err)
		return nil
	}
	return p
}
