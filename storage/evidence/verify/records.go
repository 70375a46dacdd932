package verify

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/ledger"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

func proofNames(leafs []int64) []string {
	slices.Sort(leafs)
	var names []string
	for _, l := range slices.Compact(leafs) {
		names = append(names, pack.ProofPath(l))
	}
	return names
}

// records proves every record of the manifest.
func (c *check) records() {
	c.leafs = map[int64]proven{}
	for _, r := range c.m.Records {
		body, ok := c.small(r.Path)
		if !ok {
			continue
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != r.SHA256 {
			c.report.fail(r.Path, "封存记录与清单不符，已被修改。", "The sealed record differs from the manifest; it was changed.")
			continue
		}
		if r.Path != pack.RecordPath(r.Kind, r.Leaf) {
			c.report.fail(r.Path, "封存记录的文件名不符。", "The record's name does not fit its place in the ledger.")
			continue
		}
		c.prove(r.Path, r.Leaf, r.Kind, r.Ref, body)
	}
}

// prove checks that body is leaf of the ledger under the signature.
func (c *check) prove(name string, leaf int64, kind, ref string, body []byte) bool {
	var env ledger.Sealed
	if err := json.Unmarshal(body, &env); err != nil || env.Kind != kind || env.ID != ref {
		c.report.fail(name, "封存记录无法读取或不是所称的记录。", "The sealed record cannot be read or is not the one it is said to be.")
		return false
	}
	text, ok := c.small(pack.ProofPath(leaf))
	if !ok {
		return false
	}
	p, err := ledger.ParseProof(string(text))
	if err != nil || p.Index != leaf || p.Checkpoint != c.note {
		c.report.fail(pack.ProofPath(leaf), "包含证明已损坏，或属于另一个文件包。", "The proof is damaged or belongs to another package.")
		return false
	}
	if c.tree.Size == 0 {
		return false // the checkpoint has failed already
	}
	want, err := ledger.LeafOf(kind, ref, body)
	if err == nil {
		err = p.Check(want, c.tree)
	}
	if err != nil {
		const zh, en = "记录不在已签名的存证日志中：记录或其证明被修改。", "The record is not in the signed ledger: it or its proof was changed."
		c.report.fail(name, zh, en)
		c.report.fail(pack.ProofPath(leaf), zh, en)
		return false
	}
	c.leafs[leaf] = proven{kind, ref, env.Record}
	c.report.Records++
	return true
}

// findEvents lists the custody files by their names.
func (c *check) findEvents() {
	for _, n := range c.order {
		var e event
		if _, err := fmt.Sscanf(n, "records/custody-%d-%d.json", &e.seq, &e.leaf); err == nil && n == pack.CustodyPath(e.seq, e.leaf) {
			e.name = n
			c.events = append(c.events, e)
		}
	}
	slices.SortFunc(c.events, func(a, b event) int { return cmp.Compare(a.seq, b.seq) })
}

// custody proves every custody event, that they are one chain without
// holes, and that the last one is the export that sealed this manifest.
func (c *check) custody() {
	c.added, c.addedAt = map[string]string{}, map[string]int64{}
	var bodies [][]byte
	var last sealed.Custody
	prev, lastName := "", pack.CustodyName
	for i, e := range c.events {
		body, ok := c.small(e.name)
		if !ok {
			continue
		}
		bodies = append(bodies, body)
		var rec sealed.Custody
		if !c.prove(e.name, e.leaf, sealed.KindCustody, fmt.Sprintf("%s/%d", c.m.Case.ID, e.seq), body) || c.into(e.leaf, &rec) != nil {
			continue
		}
		c.report.Events++
		if rec.Seq != int64(i+1) || rec.Seq != e.seq || rec.Prev != prev || rec.CaseID != c.m.Case.ID {
			c.report.fail(e.name, "保管链断裂：事件缺失、调换或属于别的案件。", "The chain of custody is broken: an event is missing, moved or of another case.")
		}
		sum := sha256.Sum256(body)
		prev, last, lastName = hex.EncodeToString(sum[:]), rec, e.name
		if rec.Action == ward.ActionAdd {
			if _, again := c.added[rec.Object]; !again {
				c.objects = append(c.objects, rec.Object)
			}
			c.added[rec.Object], c.addedAt[rec.Object] = rec.SHA256, e.leaf
		}
	}
	if b, ok := c.small(pack.CustodyName); ok && !bytes.Equal(b, pack.CustodyJSON(bodies)) {
		c.report.fail(pack.CustodyName, "保管链列表与封存的保管事件不符。", "The list of custody events differs from the sealed events.")
	}
	manifest := c.byName[pack.ManifestName]
	if last.Action != ward.ActionExport {
		c.report.fail(lastName, "保管链的最后一条不是本次导出。", "The last custody event is not this export.")
	} else if hex.EncodeToString(manifest.sum[:]) != last.SHA256 {
		c.report.fail(pack.ManifestName, "清单与导出时封存的不同，已被修改或属于另一次导出。", "The manifest is not the one that the export sealed; it was changed or is of another export.")
	}
	c.report.Exported, c.report.By = last.At, string(last.Actor)
}

// into reads the record of a proven leaf.
func (c *check) into(leaf int64, v any) error {
	p, ok := c.leafs[leaf]
	if !ok {
		return fmt.Errorf("leaf %d is not proven", leaf)
	}
	return json.Unmarshal(p.record, v)
}

// caseFile checks that what the case is about is what was sealed.
func (c *check) caseFile() {
	f := c.m.File
	if f == nil {
		return
	}
	want, was := *f, ward.CaseFile{}
	want.Leaf = 0
	p, ok := c.leafs[f.Leaf]
	if !ok || p.kind != sealed.KindCaseVersion || p.ref != fmt.Sprintf("%s/%d", c.m.Case.ID, f.Version) || c.into(f.Leaf, &was) != nil || !reflect.DeepEqual(was, want) || len(c.m.Officers) != len(f.Officers) {
		c.report.fail(pack.ManifestName, "案卷信息与封存的不同。", "The file of the case differs from its sealed record.")
		return
	}
	c.report.Cause, c.report.Basis = f.Cause, f.Basis
	for i, o := range c.m.Officers {
		if o.Certificate != f.Officers[i].Certificate {
			c.report.fail(pack.ManifestName, "案卷信息与封存的不同。", "The file of the case differs from its sealed record.")
		}
		c.report.Officers = append(c.report.Officers, o.Name+" "+o.Certificate)
	}
	for _, w := range f.Witnesses {
		if w.Signature != "" && !slices.ContainsFunc(c.m.Items, func(it pack.Item) bool {
			return it.Kind == ward.EvidenceFile && it.Ref == w.Signature && it.SHA256 == w.SHA256
		}) {
			c.report.fail(pack.ManifestName, "案卷所列的签名文件不在清单里。", "The file with a signature that the case's file names is not among the items.")
		}
	}
	c.report.Witnesses = f.Witnesses
}

// devices checks that what the cameras are said to be is what was sealed.
func (c *check) devices() {
	for _, d := range c.m.Devices {
		want, was := d, ward.CameraDevice{}
		want.Leaf = 0
		p, ok := c.leafs[d.Leaf]
		if !ok || p.kind != sealed.KindCameraDevice || p.ref != fmt.Sprintf("%s/%d", d.CameraID, d.Version) || c.into(d.Leaf, &was) != nil || was != want {
			c.report.fail(pack.ManifestName, "摄像头设备信息与封存的不同。", "What a camera is said to be differs from its sealed record.")
			continue
		}
		c.report.Devices = append(c.report.Devices, d)
	}
}
