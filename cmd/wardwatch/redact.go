package main

import (
	"wardwatch/analytics/redact"
	"wardwatch/ingest"
	"wardwatch/storage"
)

// covers wires what covers faces and regions in derivatives of evidence.
func (s *service) covers(library *ingest.Library) {
	s.redact = &redact.Maker{
		Store: s.store, Media: storage.Media{Objects: s.objects, Spool: s.spool}, Folder: s.config.Data, Log: s.log,
		Artist: &redact.Artist{Library: library, Pool: s.pool, Worker: s.config.Vision.Path, Log: s.log},
	}
	s.web.Redactions = s.redact
}
