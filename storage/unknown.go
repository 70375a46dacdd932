package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/storage/objects"
)

// eachUnknown calls found for every object below v1/ and after the key after
// that no row knows, and every, unless it is nil, for each page of objects.
func eachUnknown(ctx context.Context, s *Store, o objects.Objects, after string, every func([]objects.Info) error, found func(objects.Info)) error {
	var page []objects.Info
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		unknown, err := s.unknown(ctx, page)
		if err != nil {
			return err
		}
		for _, o := range unknown {
			found(o)
		}
		if every != nil {
			err = every(page)
		}
		page = page[:0]
		return err
	}
	for info, err := range o.List(ctx, "v1/") {
		if err != nil {
			return err
		}
		if info.Key <= after {
			continue
		}
		if page = append(page, info); len(page) == knownPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// probePrefix begins the keys that readiness writes and deletes.
const probePrefix = "v1/probe/"

// unknown returns the objects that no row names.
func (s *Store) unknown(ctx context.Context, page []objects.Info) ([]objects.Info, error) {
	keys := make([]string, len(page))
	for i, o := range page {
		keys[i] = o.Key
	}
	query, args := knownKeys(keys...)
	known, err := listed(ctx, s, "look for objects", scanKey, query, args...)
	if err != nil {
		return nil, err
	}
	var out []objects.Info
	for _, o := range page {
		if !slices.Contains(known, o.Key) && !strings.HasPrefix(o.Key, probePrefix) {
			out = append(out, o)
		}
	}
	return out, nil
}

// knownKeys asks which of keys a row names. A recording that was given up is
// gone by its row: an object of it, put just before the store went away, is
// nobody's.
func knownKeys(keys ...string) (query string, args []any) {
	marks := make([]string, len(keys))
	for i, key := range keys {
		args, marks[i] = append(args, key), fmt.Sprintf("$%d", i+1)
	}
	in := ` IN (` + strings.Join(marks, ", ") + `)`
	return `SELECT object_key FROM segment WHERE state <> 'evicted' AND object_key` + in +
		` UNION ALL SELECT snapshot_key FROM sighting WHERE snapshot_key <> '' AND snapshot_key` + in +
		` UNION ALL SELECT snapshot_key FROM alert WHERE snapshot_key` + in +
		` UNION ALL SELECT snapshot_key FROM visit WHERE snapshot_key` + in +
		` UNION ALL SELECT object_key FROM ruling_proof WHERE object_key` + in +
		` UNION ALL SELECT photo_key FROM insured WHERE photo_key` + in +
		` UNION ALL SELECT ref FROM evidence WHERE ref` + in, args
}

func scanKey(r row) (key string, err error) { return key, r.Scan(&key) }
