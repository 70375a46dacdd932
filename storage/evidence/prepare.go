package evidence

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/page"
	"wardwatch/storage/ledger"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

//go:embed README.txt
var readme []byte

// draft is a package in the making.
type draft struct {
	*Clerk
	m       pack.Manifest
	parts   []part                   // manifest, custody, proofs, checkpoint and sums are still to come
	leafs   map[int64]bool           // records that are in
	covered map[ward.EvidenceID]bool // left out: see Redaction
}

// Prepare collects the case (Complete first), hashes every object, records
// the export as a custody event that seals the manifest's hash, signs a
// checkpoint after it and proves every record. An object that is missing or
// differs from its sealed hash is named in the package and in Missing; it
// does not stop the export. What the package is made of is kept, so that Resume
// gives the same bytes. Nothing is written to the catalogue before all
// objects have been read.
func (c *Clerk) Prepare(ctx context.Context, id ward.CaseID, by ward.User, reason string) (*Package, error) {
	p, err := c.prepare(ctx, id, by, reason)
	if err != nil {
		return nil, fmt.Errorf("prepare package of case %s: %w", id, err)
	}
	return p, nil
}

func (c *Clerk) prepare(ctx context.Context, id ward.CaseID, by ward.User, reason string) (*Package, error) {
	if _, err := c.Complete(ctx, id, by); err != nil {
		return nil, err
	}
	file, err := c.Store.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	d, err := c.draft(ctx, file, by)
	if err != nil {
		return nil, err
	}
	manifest, err := json.MarshalIndent(d.m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	sum := sha256.Sum256(manifest)
	hexSum := hex.EncodeToString(sum[:])
	x, err := c.Store.BeginExport(ctx, ward.Custody{
		CaseID: id, Actor: by.ID, Role: by.Role, Object: "package/" + hexSum[:16], SHA256: hexSum, Reason: reason,
	})
	if err != nil {
		return nil, err
	}
	d.parts = slices.Insert(d.parts, 2, dataPart(pack.ManifestName, manifest))
	if err := d.finish(ctx, hexSum); err != nil {
		return nil, err
	}
	p := newPackage(c, x, d.parts)
	for _, it := range d.m.Items {
		if it.Missing != "" {
			p.Missing = append(p.Missing, it)
		}
	}
	if p.Export, err = c.freeze(ctx, x, p); err != nil {
		return nil, err
	}
	return p, nil
}

// draft reads everything that the manifest lists.
func (c *Clerk) draft(ctx context.Context, file ward.Case, by ward.User) (*draft, error) {
	pub := c.Store.PublicKey()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	d := &draft{Clerk: c, leafs: map[int64]bool{}}
	d.m = pack.Manifest{
		Schema: pack.Schema, Case: file, Software: c.Software, System: c.System, Log: c.Store.Log(), Fingerprint: ledger.Fingerprint(pub),
		ModelIDs: []string{}, Items: []pack.Item{}, Recordings: []pack.Recording{}, Records: []pack.RecordFile{}, Files: []pack.File{},
	}
	d.file(pack.RoleReadme, dataPart(pack.ReadmeName, readme))
	d.file(pack.RoleKey, dataPart(pack.KeyName, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	d.file(pack.RoleTool, dataPart(pack.PageName, page.HTML()))
	if err := d.keys(); err != nil {
		return nil, err
	}
	sealed, err := c.Store.LatestSealed(ctx, storage.KindCase, string(file.ID))
	if err != nil {
		return nil, err
	}
	d.m.CaseLeaf = sealed.Leaf
	d.record(sealed)
	if err := d.caseFile(ctx); err != nil {
		return nil, err
	}
	items, err := c.Store.Evidence(ctx, file.ID)
	if err != nil {
		return nil, err
	}
	who := by.ID
	if c.Outside {
		who = ""
	}
	if d.covered, err = c.Store.Covered(ctx, file.ID, who); err != nil {
		return nil, err
	}
	for _, e := range items {
		if err := d.item(ctx, e); err != nil {
			return nil, err
		}
	}
	return d, d.recordings(ctx, items)
}

func (d *draft) file(role pack.Role, p part) {
	d.parts = append(d.parts, p)
	d.m.Files = append(d.m.Files, pack.File{Path: p.name, Role: role, Format: pack.FormatOf(p.name), Bytes: p.sum.Size, SHA256: hex.EncodeToString(p.sum.SHA256[:])})
}

func (d *draft) record(r storage.SealedRecord) string {
	p := pack.RecordPath(r.Kind, r.Leaf)
	if !d.leafs[r.Leaf] {
		d.leafs[r.Leaf] = true
		sum := r.Sum()
		d.m.Records = append(d.m.Records, pack.RecordFile{Leaf: r.Leaf, Kind: r.Kind, Ref: r.Ref, Path: p, SHA256: hex.EncodeToString(sum[:])})
		d.file(pack.RoleRecord, recordPart(p, r))
	}
	return p
}

// item adds one piece of evidence with its record and bytes.
func (d *draft) item(ctx context.Context, e ward.Evidence) error {
	it := pack.Item{Kind: e.Kind, Ref: e.Ref, Added: e.Added, By: e.AddedBy, Leaf: e.Leaf}
	if e.SHA256 != [32]byte{} {
		it.SHA256 = hex.EncodeToString(e.SHA256[:])
	}
	var err error
	if e.Kind == ward.EvidenceSnapshot {
		err = d.media(ctx, &it, e, pack.RoleSnapshot, fmt.Sprintf("snapshots/%04d%s", len(d.m.Items)+1, path.Ext(e.Ref)))
	} else {
		err = d.sealed(ctx, &it, e)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", e.Kind, e.Ref, err)
	}
	d.m.Items = append(d.m.Items, it)
	return nil
}

func (d *draft) sealed(ctx context.Context, it *pack.Item, e ward.Evidence) error {
	r, err := d.Store.Sealed(ctx, e.Leaf)
	if errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
		it.Missing = pack.MissingErased
		return nil
	}
	if err != nil {
		return err
	}
	p := d.record(r)
	switch e.Kind {
	case ward.EvidenceSegment:
		it.Segment = &sealed.Segment{}
		if err := r.Into(it.Segment); err != nil {
			return err
		}
		return d.media(ctx, it, e, pack.MediaRole(it.Segment.Origin), "media/"+it.Segment.Source.ID+"/"+path.Base(it.Segment.Key))
	case ward.EvidenceFile:
		role, folder := pack.RoleUpload, "uploads"
		if storage.IsDerivative(e) {
			role, folder = pack.RoleDerivative, "derivatives"
		}
		return d.media(ctx, it, e, role, fmt.Sprintf("%s/%04d%s", folder, len(d.m.Items)+1, path.Ext(e.Ref)))
	case ward.EvidenceVisit:
		it.Path, it.Events = p, "records/visit-"+e.Ref+"-events.json"
		b, err := d.Store.SealedEvents(ctx, ward.VisitID(e.Ref))
		if err != nil {
			return err
		}
		p := dataPart(it.Events, b)
		p.from = source{Kind: fromEvents, Ref: e.Ref}
		d.file(pack.RoleEvents, p)
		if err := d.chat(ctx, it, b); err != nil {
			return err
		}
		var v sealed.Verdict
		if err := r.Into(&v); err != nil {
			return err
		}
		if err := d.about(ctx, storage.KindRound, string(v.Round)); err != nil || v.Policy == 0 {
			return err
		}
		return d.about(ctx, storage.KindCheckPolicy, strconv.Itoa(v.Policy))
	case ward.EvidenceAlert:
		it.Path = p
		var a sealed.Alert
		if err := r.Into(&a); err != nil {
			return err
		}
		if err := d.about(ctx, storage.KindRule, fmt.Sprintf("%s/%d", a.Rule, a.RuleVersion)); err != nil {
			return err
		}
		return d.about(ctx, storage.KindDecision, e.Ref)
	case ward.EvidenceBlind:
		it.Path = p
		return d.blind(ctx, ward.BlindID(e.Ref))
	case ward.EvidenceDraw:
		it.Path = p
		return d.draw(ctx, ward.DrawID(e.Ref))
	case ward.EvidenceOutage:
		it.Path = p
		return d.outage(ctx, ward.OutageID(e.Ref))
	case ward.EvidenceSettlement, ward.EvidenceStretch, ward.EvidenceSighting:
		it.Path = p
	case ward.EvidenceSnapshot: // has no record of its own
	}
	return nil
}

// about adds the records that explain an item: the rule of an alert as it was
// set and the decisions on it, the order of a round and what its checks required.
func (d *draft) about(ctx context.Context, kind, ref string) error {
	records, err := d.Store.SealedOf(ctx, kind, ref)
	for _, r := range records {
		d.record(r)
	}
	return err
}

// finish adds what depends on the export's own custody event: the custody
// chain up to it, the proofs, the checkpoint and the list of sums.
func (d *draft) finish(ctx context.Context, manifestSum string) error {
	events, err := d.Store.Custody(ctx, d.m.Case.ID)
	if err != nil {
		return err
	}
	// Our event may already have others after it.
	last := -1
	for i, e := range events {
		if e.Action == ward.ActionExport && e.SHA256 == manifestSum {
			last = i
		}
	}
	var bodies [][]byte
	var parts []part
	leafs := []int64{}
	for _, r := range d.m.Records {
		leafs = append(leafs, r.Leaf)
	}
	for _, e := range events[:last+1] {
		r, err := d.Store.Sealed(ctx, e.Leaf)
		if err != nil {
			return fmt.Errorf("custody event %d: %w", e.Seq, err)
		}
		bodies = append(bodies, r.Body)
		parts = append(parts, recordPart(pack.CustodyPath(e.Seq, e.Leaf), r))
		leafs = append(leafs, e.Leaf)
	}
	d.parts = append(append(d.parts, dataPart(pack.CustodyName, pack.CustodyJSON(bodies))), parts...)
	note, size, err := d.Store.Checkpoint(ctx)
	if err != nil {
		return err
	}
	slices.Sort(leafs)
	for _, leaf := range leafs {
		p, err := d.Store.Proof(ctx, leaf, size, note)
		if err != nil {
			return err
		}
		d.parts = append(d.parts, dataPart(pack.ProofPath(leaf), []byte(p.String())))
	}
	d.parts = append(d.parts, dataPart(pack.CheckpointName, []byte(note)))
	if err := d.outside(ctx, note, size); err != nil {
		return err
	}
	d.list(pack.SM3SumsName, func(s pack.Sum) [32]byte { return s.SM3 })
	d.list(pack.SumsName, func(s pack.Sum) [32]byte { return s.SHA256 })
	return nil
}
