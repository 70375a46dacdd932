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
}

// items checks that what each item says of itself is what was sealed when
// it was recorded, and that the items are those of the custody events.
func (c *check) items() {
	var file ward.Case
	if p, ok := c.leafs[c.m.CaseLeaf]; !ok || p.kind != sealed.KindCase || c.into(c.m.CaseLeaf, &file) != nil || file != c.m.Case {
		c.report.fail(pack.ManifestName, "案件信息与封存的不同。", "The case differs from its sealed record.")
	}
	c.caseFile()
	seen := map[string]bool{}
	for _, it := range c.m.Items {
		object := string(it.Kind) + "/" + it.Ref
		sum, ok := c.added[object]
		if !ok || sum != it.SHA256 || seen[object] {
			c.report.fail(itemName(it), "该证据没有对应的保管事件。", "No custody event added this item.")
		}
		seen[object] = true
		c.item(it)
	}
	for _, object := range c.objects {
		if !seen[object] {
			c.report.fail(object, "保管链中的证据不在清单里，被删去。", "The item was added to the case and is not in the manifest; it was removed.")
		}
	}
}

func itemName(it pack.Item) string {
	if it.Path != "" {
		return it.Path
	}
	return string(it.Kind) + "/" + it.Ref
}

func (c *check) item(it pack.Item) {
	if it.Missing != "" {
		c.report.Missing = append(c.report.Missing, missing(it))
		return
	}
	f := c.byName[it.Path]
	if f == nil {
		c.report.fail(itemName(it), "文件缺失。", "The file is missing.")
		return
	}
	if hex.EncodeToString(f.sum[:]) != it.SHA256 {
		c.report.fail(it.Path, "文件内容与封存的哈希不符，已被修改。", "The content differs from its sealed hash; it was changed.")
		return
	}
	p, ok := c.leafs[it.Leaf]
	switch it.Kind {
	case ward.EvidenceSegment:
		var seg sealed.Segment
		ok = ok && p.kind == sealed.KindSegment && p.ref == it.Ref && it.Segment != nil && c.into(it.Leaf, &seg) == nil && seg == *it.Segment && seg.SHA256 == it.SHA256
		if ok && !slices.ContainsFunc(c.m.Files, func(f pack.File) bool { return f.Path == it.Path && f.Role == pack.MediaRole(seg.Origin) }) {
			c.report.fail(it.Path, "录像来源（当时录制或事后从设备补录）与封存记录不符。", "Whether it was recorded as it happened or taken from the device afterwards differs from its sealed record.")
		}
		if ok && seg.Origin == ward.FromDevice {
			c.report.Filled++
			c.report.FilledFor += seg.End.Sub(seg.Start)
		}
	case ward.EvidenceSnapshot:
		ok = ok && c.addedAt[string(it.Kind)+"/"+it.Ref] == it.Leaf
	case ward.EvidenceVisit:
		var v sealed.Verdict
		ok = ok && p.kind == sealed.KindVerdict && p.ref == it.Ref && c.into(it.Leaf, &v) == nil
		if ok {
			c.pictured(it, v.Snapshot)
		}
		if events := c.byName[it.Events]; ok && (events == nil || hex.EncodeToString(events.sum[:]) != v.Events) {
			c.report.fail(it.Events, "查访过程记录与结论封存时不同。", "The visit's protocol differs from what its verdict sealed.")
		} else if ok {
			c.chat(it)
		}
	case ward.EvidenceSettlement:
		ok = ok && p.kind == sealed.KindSettlement && p.ref == it.Ref
	case ward.EvidenceAlert:
		var a sealed.Alert
		ok = ok && p.kind == sealed.KindAlert && p.ref == it.Ref && c.into(it.Leaf, &a) == nil
		if ok {
			c.pictured(it, a.Snapshot)
		}
	case ward.EvidenceFile:
		var u sealed.Upload
		ok = ok && p.kind == sealed.KindUpload && p.ref == it.Ref && c.into(it.Leaf, &u) == nil && u.SHA256 == it.SHA256
	case ward.EvidenceStretch:
		var s sealed.Stretch
		if ok = ok && p.kind == sealed.KindStretch && p.ref == it.Ref && c.into(it.Leaf, &s) == nil; ok {
			c.stretch(it, s)
		}
	default:
		ok = false
	}
	if !ok {
		c.report.fail(it.Path, "与封存记录不符，无法证明。", "It does not agree with its sealed record and is not proven.")
	}
}

// pictured makes sure that the picture whose hash an item's record sealed is
// among the items.
func (c *check) pictured(it pack.Item, sum string) {
	if sum != "" && !slices.ContainsFunc(c.m.Items, func(s pack.Item) bool { return s.Kind == ward.EvidenceSnapshot && s.SHA256 == sum }) {
		c.report.fail(it.Path, "封存记录里的截图不在清单里。", "The picture that its record sealed is not among the items.")
	}
}

// stretch makes sure that the recordings of a stretch are among the items, and
// reports what there is none of.
func (c *check) stretch(it pack.Item, s sealed.Stretch) {
	c.report.Stretches = append(c.report.Stretches, s)
	for _, g := range s.Segments {
		if !slices.ContainsFunc(c.m.Items, func(i pack.Item) bool {
			return i.Kind == ward.EvidenceSegment && i.Ref == string(g.ID) && i.SHA256 == g.SHA256
		}) {
			c.report.fail(it.Path, "该时段封存时列明的录像不在清单里。", "A recording that the stretch's record names is not among the items.")
			return
		}
	}
}

// missing words what the package says of an item that it lacks.
func missing(it pack.Item) Finding {
	f := Finding{File: string(it.Kind) + "/" + it.Ref}
	switch it.Missing {
	case pack.MissingAbsent:
		f.ZH, f.EN = "导出时原件已不在存储中。", "The original was not in the store at the export."
	case pack.MissingChanged:
		f.ZH, f.EN = "导出时存储中的文件与封存的哈希不同，未放入本包。", "The stored file differed from its sealed hash at the export and was left out."
	case pack.MissingErased:
		f.ZH, f.EN = "封存记录已依法删除。", "The sealed record was erased."
	default:
		f.ZH, f.EN = "未放入本包。", "It was left out."
	}
	return f
}
