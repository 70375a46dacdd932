package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// items checks that what each item says of itself is what was sealed when
// it was recorded, and that the items are those of the custody events.
func (c *check) items() {
	var file ward.Case
	if p, ok := c.leafs[c.m.CaseLeaf]; !ok || p.kind != sealed.KindCase || c.into(c.m.CaseLeaf, &file) != nil || file != c.m.Case {
		c.report.fail(pack.ManifestName, "案件信息与封存的不同。", "The case differs from its sealed record.")
	}
	c.caseFile()
	c.devices()
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
		if ok {
			c.report.Made.add(seg)
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
		if ok = ok && p.kind == sealed.KindUpload && p.ref == it.Ref && c.into(it.Leaf, &u) == nil && u.SHA256 == it.SHA256; ok {
			c.derived(it, u)
		}
	case ward.EvidenceStretch:
		var s sealed.Stretch
		if ok = ok && p.kind == sealed.KindStretch && p.ref == it.Ref && c.into(it.Leaf, &s) == nil; ok {
			c.stretch(it, s)
		}
	case ward.EvidenceSighting:
		var s sealed.Sighting
		if ok = ok && p.kind == sealed.KindSighting && p.ref == it.Ref && c.into(it.Leaf, &s) == nil; ok {
			c.pictured(it, s.Snapshot)
		}
	case ward.EvidenceBlind:
		ok = ok && p.kind == sealed.KindBlind && p.ref == it.Ref
	case ward.EvidenceDraw:
		ok = ok && c.numbered(it, sealed.KindDraw, p)
	case ward.EvidenceOutage:
		ok = ok && c.numbered(it, sealed.KindOutage, p)
	default:
		ok = false
	}
	if !ok {
		c.report.fail(it.Path, "与封存记录不符，无法证明。", "It does not agree with its sealed record and is not proven.")
	}
}

// numbered makes sure that p is one of the numbered records of an item (the
// steps of a draw, the versions of an outage) and that none before it is left out.
func (c *check) numbered(it pack.Item, kind string, p proven) bool {
	last, err := strconv.Atoi(strings.TrimPrefix(p.ref, it.Ref+"/"))
	if p.kind != kind || err != nil || last < 1 || last > len(c.leafs) || p.ref != fmt.Sprintf("%s/%d", it.Ref, last) {
		return false
	}
	there := map[string]bool{}
	for _, l := range c.leafs {
		if l.kind == kind {
			there[l.ref] = true
		}
	}
	for n := 1; n <= last; n++ {
		if !there[fmt.Sprintf("%s/%d", it.Ref, n)] {
			c.report.fail(it.Path, "该证据此前的步骤或版本不在包内。", "A step or version before this one is not in the package.")
		}
	}
	return true
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

// derived makes sure that what a derivative was made of is among the items,
// as it is or as left out, and that its file is not called an original.
func (c *check) derived(it pack.Item, u sealed.Upload) {
	role := pack.RoleUpload
	if u.Derived != nil {
		role = pack.RoleDerivative
		if !slices.ContainsFunc(c.m.Items, func(i pack.Item) bool {
			return string(i.Kind)+"/"+i.Ref == u.Derived.From && i.SHA256 == u.Derived.SHA256
		}) {
			c.report.fail(it.Path, "遮挡件所依据的原件不在清单里。", "What the derivative was made of is not among the items.")
		}
		c.report.Derivatives++
	}
	if !slices.ContainsFunc(c.m.Files, func(f pack.File) bool { return f.Path == it.Path && f.Role == role }) {
		c.report.fail(it.Path, "文件是上传件还是遮挡件，与封存记录不符。", "Whether the file is uploaded or a derivative differs from its sealed record.")
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
	case pack.MissingCovered:
		f.ZH, f.EN = "原件已遮挡，导出人只能取得遮挡件（derivatives/），未放入本包。", "The original is covered: who exported may have its derivative (derivatives/) alone, and it was left out."
	case pack.MissingErased:
		f.ZH, f.EN = "封存记录已依法删除。", "The sealed record was erased."
	default:
		f.ZH, f.EN = "未放入本包。", "It was left out."
	}
	return f
}
