// Package verify tells whether an evidence package is as it was exported, with
// nothing but the file and what somebody brings from elsewhere: no database,
// no server, no network. It uses nothing of the catalogue; what it trusts is
// a fingerprint, and mathematics. The page verify.html does the same in a
// browser, step by step in the same order and with the same words.
package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/page"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// maxSmall bounds every file that is read into memory: all but media and snapshots.
const maxSmall = 64 << 20

// maxAtOnce bounds the files that are hashed at the same time, each by two threads.
const maxAtOnce = 4

// Package checks the package of size bytes in r against what the caller has
// from elsewhere. It reads every byte once or twice,
// in little memory, trusts nothing in the package but what the signature
// leads to, and goes on after a failure to name all of them. The error is
// only that r cannot be read.
func Package(r io.ReaderAt, size int64, trust Trust) (Report, error) {
	c := &check{r: r, report: Report{Bytes: size}, byName: map[string]*checked{}}
	entries, err := pack.Walk(r, size)
	if err != nil && !errors.Is(err, pack.ErrForm) {
		return c.report, err
	}
	if err != nil {
		c.report.fail("zip", "文件包不是原样导出的文件（被修改、重新打包或不完整）。", err.Error())
	}
	c.report.Files = len(entries)
	if err := c.hashAll(entries); err != nil {
		return c.report, err
	}
	c.key(trust.Fingerprint)
	c.outside(trust)
	if c.manifest() {
		c.findEvents()
		c.names()
		c.records()
		c.custody()
		c.files()
		c.items()
	}
	return c.report, nil
}

// File verifies the package at path and prints the report to w; the
// result is the exit code of `wardwatch verify`.
func File(w io.Writer, path string, trust Trust, keyless bool) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return ExitUsage, unreadable(err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return ExitUsage, unreadable(err)
	}
	rep, err := Package(f, info.Size(), trust)
	if err != nil {
		return ExitUsage, unreadable(err)
	}
	return rep.Exit(keyless), Print(w, rep)
}

func unreadable(err error) error {
	return &ward.Error{Kind: ward.Invalid, Code: "package.unreadable", ZH: "无法读取证据包，请检查路径和权限。", EN: "The package cannot be read; check its path and permissions.", Err: err}
}

// checked is one file of the package.
type checked struct {
	pack.Entry
	sum, sm3 [32]byte
}

// check is one verification. Its steps run in the order of Package.
type check struct {
	r       io.ReaderAt
	report  Report
	order   []string
	byName  map[string]*checked
	pub     ed25519.PublicKey
	tree    ledger.Checkpoint
	note    string
	m       pack.Manifest
	leafs   map[int64]proven  // records whose proof holds
	events  []event           // custody, in order
	added   map[string]string // by custody: "kind/ref" → SHA-256
	addedAt map[string]int64  // and the leaf that says so
	objects []string          // the keys of added, in the order of the events
}

type proven struct {
	kind, ref string
	record    json.RawMessage
}

// event is a custody file. Its number and leaf come from its name, until
// the proof has shown that they are right.
type event struct {
	seq, leaf int64
	name      string
}

// hashAll hashes every file, some at the same time, and compares its CRC-32.
func (c *check) hashAll(entries []pack.Entry) error {
	sums, errs := make([]pack.Sum, len(entries)), make([]error, len(entries))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxAtOnce, len(entries)) {
		all.Go(func() {
			var summer pack.Summer
			for i := int(next.Add(1) - 1); i < len(entries); i = int(next.Add(1) - 1) {
				sums[i], errs[i] = summer.Sum(c.section(entries[i]))
			}
		})
	}
	all.Wait()
	for i, e := range entries {
		if errs[i] != nil {
			return fmt.Errorf("read %s: %w", e.Name, errs[i])
		}
		if _, twice := c.byName[e.Name]; twice {
			c.report.fail(e.Name, "文件名重复。", "The name occurs twice.")
			continue
		}
		c.order = append(c.order, e.Name)
		c.byName[e.Name] = &checked{Entry: e, sum: sums[i].SHA256, sm3: sums[i].SM3}
		if sums[i].CRC != e.CRC {
			c.report.fail(e.Name, "文件内容已损坏或被修改（CRC 不符）。", "The content is damaged or changed (CRC differs).")
		}
	}
	return nil
}

func (c *check) section(e pack.Entry) io.Reader {
	return io.NewSectionReader(c.r, e.Offset+int64(len(e.Local())), e.Size)
}

// small reads a file into memory; it names what is wrong when it cannot.
func (c *check) small(name string) ([]byte, bool) {
	f := c.byName[name]
	if f == nil {
		c.report.fail(name, "文件缺失。", "The file is missing.")
		return nil, false
	}
	if f.Size > maxSmall {
		c.report.fail(name, "文件过大。", "The file is too large.")
		return nil, false
	}
	b := make([]byte, f.Size)
	_, err := io.ReadFull(c.section(f.Entry), b)
	if err != nil || sha256.Sum256(b) != f.sum {
		c.report.fail(name, "文件读取失败。", "The file cannot be read.")
		return nil, false
	}
	return b, true
}

// manifest reads the manifest; that it is the sealed one is checked in custody.
func (c *check) manifest() bool {
	b, ok := c.small(pack.ManifestName)
	if !ok {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c.m); err != nil {
		c.report.fail(pack.ManifestName, "清单无法读取。", "The manifest cannot be read.")
		return false
	}
	if c.m.Schema != pack.Schema {
		c.report.fail(pack.ManifestName, "清单版本不受支持，请使用更新的核验工具。", "The manifest's schema is unknown; use a newer verifier.")
		return false
	}
	c.report.Case, c.report.Title, c.report.Institution, c.report.Items = c.m.Case.Number, c.m.Case.Title, c.m.Institution, len(c.m.Items)
	if c.pub != nil && (c.m.Fingerprint != ledger.Fingerprint(c.pub) || c.tree.Log != "" && c.m.Log != c.tree.Log) {
		c.report.fail(pack.ManifestName, "清单写明的签名密钥与公钥不同。", "The manifest names another signing key.")
	}
	return true
}

// names compares the files with the one list and order that the manifest
// and the custody events give.
func (c *check) names() {
	var want []string
	for i, f := range c.m.Files {
		want = append(want, f.Path)
		if i == 1 {
			want = append(want, pack.ManifestName)
		}
	}
	want = append(want, pack.CustodyName)
	var leafs []int64
	for _, r := range c.m.Records {
		leafs = append(leafs, r.Leaf)
	}
	for _, e := range c.events {
		want = append(want, e.name)
		leafs = append(leafs, e.leaf)
	}
	want = append(want, proofNames(leafs)...)
	want = append(append(append(want, pack.CheckpointName), c.outsideNames()...), pack.SM3SumsName, pack.SumsName)
	known := map[string]bool{}
	for _, n := range want {
		known[n] = true
		if c.byName[n] == nil {
			c.report.fail(n, "文件缺失。", "The file is missing.")
		}
	}
	for _, n := range c.order {
		if !known[n] {
			c.report.fail(n, "文件不在清单中，是多出来的。", "The file is not in the manifest; it was added.")
		}
	}
	for i, n := range c.order {
		if i < len(want) && known[n] && want[i] != n {
			c.report.fail(n, "文件顺序与导出时不同。", "The files are not in the order of the export.")
			break
		}
	}
	c.listed(pack.SM3SumsName, []string{pack.SM3SumsName, pack.SumsName}, func(n string) [32]byte { return c.byName[n].sm3 })
	c.listed(pack.SumsName, []string{pack.SumsName}, func(n string) [32]byte { return c.byName[n].sum })
}

// listed compares a list of hashes, of all files but some, with the files.
func (c *check) listed(name string, but []string, sum func(string) [32]byte) {
	text, ok := c.small(name)
	rest := slices.DeleteFunc(slices.Clone(c.order), func(n string) bool { return slices.Contains(but, n) })
	if ok && !bytes.Equal(text, pack.Sums(rest, sum)) {
		c.report.fail(name, "哈希列表与文件不符。", "The list of hashes does not match the files.")
	}
}

// files compares every file with the manifest.
func (c *check) files() {
	for _, f := range c.m.Files {
		got := c.byName[f.Path]
		if got == nil {
			continue // named already
		}
		if path.Clean("/"+f.Path) != "/"+f.Path {
			c.report.fail(f.Path, "文件名非法。", "The name is not allowed.")
		}
		if got.Size != f.Bytes || hex.EncodeToString(got.sum[:]) != f.SHA256 {
			c.report.fail(f.Path, "文件内容与清单不符，已被修改。", "The content differs from the manifest; it was changed.")
		}
		if f.Role == pack.RoleTool && got.sum != sha256.Sum256(page.HTML()) {
			c.report.OtherPage = true
		}
	}
}
