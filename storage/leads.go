package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// Lead is what belongs to one alert or visit when it becomes a case.
type Lead struct {
	InstitutionID ward.InstitutionID
	// Items have Kind and Ref; see AddEvidence. Segments are those committed
	// so far.
	Items []ward.Evidence
	// The recording that bears on it. From is zero when there is none to
	// expect: no camera, or a visit that nobody answered.
	Source   ward.Source
	From, To time.Time
	ModelIDs []string // of the detectors behind the alert's sightings
}

// AlertLead collects an alert, its settlement and related ones, its snapshot
// and every segment of its camera that touches its clip; of a blind period its
// pictures and what was settled meanwhile by now.
func (s *Store) AlertLead(ctx context.Context, id ward.AlertID) (Lead, error) {
	l := Lead{Source: ward.Source{Kind: ward.FromCamera}}
	var kind ward.AlertSubject
	var subject, related, sightings, snapshot string
	var when, from, to int64
	var sum []byte
	err := s.read.QueryRowContext(ctx, `SELECT institution_id, camera_id, subject_kind, subject_id, at_us, related, sightings, snapshot_key, snapshot_sha, clip_from_us, clip_to_us FROM alert WHERE id = $1`, id).
		Scan(&l.InstitutionID, &l.Source.ID, &kind, &subject, &when, &related, &sightings, &snapshot, &sum, &from, &to)
	if err != nil {
		return l, fmt.Errorf("read alert %s: %w", id, missing(err, "alert.unknown", "没有这个疑点。", "No such alert."))
	}
	l.add(ward.EvidenceAlert, string(id))
	l.addSnapshot(snapshot, sum)
	if kind == ward.OnBlind {
		if err := s.addBlind(ctx, &l, ward.BlindID(subject), at(when)); err != nil {
			return l, err
		}
	} else {
		l.add(ward.EvidenceSettlement, subject)
	}
	for _, other := range idList(related) {
		l.add(ward.EvidenceSettlement, other)
	}
	for _, sighting := range idList(sightings) {
		var model string
		err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(model_id), '') FROM sighting WHERE id = $1`, sighting).Scan(&model)
		if err != nil {
			return l, fmt.Errorf("read sighting %s: %w", sighting, err)
		}
		if model != "" {
			l.ModelIDs = append(l.ModelIDs, model)
		}
	}
	if l.Source.ID != "" {
		l.From, l.To = at(from), at(to)
	}
	return l, s.addSegments(ctx, &l)
}

// VisitLead collects a visit's verdict (which holds its checks), its
// snapshot and its recording.
func (s *Store) VisitLead(ctx context.Context, id ward.VisitID) (Lead, error) {
	l := Lead{Source: ward.Source{Kind: ward.FromVisit, ID: string(id)}}
	var snapshot string
	var sum []byte
	var consented, sealed int64
	err := s.read.QueryRowContext(ctx, `SELECT institution_id, snapshot_key, snapshot_sha, consented_us, sealed_us FROM visit WHERE id = $1`, id).
		Scan(&l.InstitutionID, &snapshot, &sum, &consented, &sealed)
	if err != nil {
		return l, fmt.Errorf("read visit %s: %w", id, missing(err, "visit.unknown", "没有这次查访。", "No such visit."))
	}
	l.add(ward.EvidenceVisit, string(id))
	l.addSnapshot(snapshot, sum)
	if consented != 0 {
		l.From, l.To = at(consented), at(sealed)
	}
	return l, s.addSegments(ctx, &l)
}

// addBlind adds the pictures of a blind period that are kept, with the hashes
// that were sealed, and what was settled meanwhile since from.
func (s *Store) addBlind(ctx context.Context, l *Lead, id ward.BlindID, from time.Time) error {
	b, err := s.BlindPeriod(ctx, id)
	if err != nil {
		return err
	}
	for _, p := range []ward.BlindPicture{b.Before, b.At, b.After} {
		v, err := s.Sighting(ctx, p.Sighting)
		if ward.KindOf(err) == ward.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		l.addSnapshot(v.SnapshotKey, p.SHA256[:])
	}
	bills, _, _, err := s.SettledBlind(ctx, b, from, maxBlindBills)
	for _, v := range bills {
		l.add(ward.EvidenceSettlement, string(v.ID))
	}
	return err
}

// maxBlindBills is how many settlements of a blind period a case begins with.
const maxBlindBills = 500

// add adds an item once.
func (l *Lead) add(kind ward.EvidenceKind, ref string) {
	if ref != "" && !slices.ContainsFunc(l.Items, func(e ward.Evidence) bool { return e.Kind == kind && e.Ref == ref }) {
		l.Items = append(l.Items, ward.Evidence{Kind: kind, Ref: ref})
	}
}

// addSnapshot adds a picture with the hash that was sealed, not the one it has now.
func (l *Lead) addSnapshot(key string, sum []byte) {
	n := len(l.Items)
	if l.add(ward.EvidenceSnapshot, key); len(l.Items) > n {
		copy(l.Items[n].SHA256[:], sum)
	}
}

func (s *Store) addSegments(ctx context.Context, l *Lead) error {
	from, to := l.From, l.To
	if l.Source.Kind == ward.FromVisit { // all of it, whatever the clock says
		from, to = time.UnixMicro(1), time.UnixMicro(1<<62)
	}
	if from.IsZero() {
		return nil
	}
	segs, err := s.SegmentsBetween(ctx, l.Source, from, to)
	for _, g := range segs {
		if g.State.Readable() {
			l.add(ward.EvidenceSegment, string(g.ID))
		}
	}
	return err
}

// idList reads a JSON array of ids; anything else is no ids.
func idList(text string) []string {
	var ids []string
	if json.Unmarshal([]byte(text), &ids) != nil {
		return nil
	}
	return ids
}

// Names are what a package calls the things that it has ids of. Unknown
// ones are empty.
type Names struct {
	Institution, Place, Camera string
	Stream                     string // the camera's RTSP address without its query
}

// NamesOf returns the names around a source.
func (s *Store) NamesOf(ctx context.Context, inst ward.InstitutionID, src ward.Source) (Names, error) {
	var n Names
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE((SELECT name FROM institution WHERE id = $1), ''),
		COALESCE((SELECT p.name FROM camera c JOIN place p ON p.id = c.place_id WHERE c.id = $2), ''),
		COALESCE((SELECT name FROM camera WHERE id = $2), ''), COALESCE((SELECT url FROM camera WHERE id = $2), '')`, inst, cameraOf(src)).Scan(&n.Institution, &n.Place, &n.Camera, &n.Stream)
	if err != nil {
		return n, fmt.Errorf("read names of %s: %w", src, err)
	}
	n.Stream, _, _ = strings.Cut(n.Stream, "?")
	return n, nil
}

func cameraOf(src ward.Source) string {
	if src.Kind == ward.FromCamera {
		return src.ID
	}
	return ""
}
