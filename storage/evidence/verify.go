package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"strings"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// maxSmall bounds every file that is read into memory: all but media and snapshots.
const maxSmall = 64 << 20

// Verify checks the package of size bytes in r against what the caller has
// from elsewhere. It reads every byte once or twice,
// in little memory, trusts nothing in the package but what the signature
// leads to, and goes on after a failure to name all of them. The error is
// only that r cannot be read.
func Verify(r io.ReaderAt, size int64, trust Trust) (Report, error) {
	c := &check{r: r, report: Report{Bytes: size}, byName: map[string]*checked{}}
	entries, err := walk(r, size)
	if err != nil && !errors.Is(err, errForm) {
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

// VerifyFile verifies the package at path and prints the report to w; the
// result is the exit code of `wardwatch verify`.
func VerifyFile(w io.Writer, path string, trust Trust, keyless bool) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return ExitUsage, unreadable(err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return ExitUsage, unreadable(err)
	}
	rep, err := Verify(f, info.Size(), trust)
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
	entry
	sum [32]byte
}

// check is one verification. Its steps run in the order of Verify.
type check struct {
	r       io.ReaderAt
	report  Report
	order   []string
	byName  map[string]*checked
	pub     ed25519.PublicKey
	tree    ledger.Checkpoint
	note    string
	m       Manifest
	leafs   map[int64]proven  // records whose proof holds
	events  []event           // custody, in order
	added   map[string]string // by custody: "kind/ref" → SHA-256
	addedAt map[string]int64  // and the leaf that says so
}

type proven struct {
	kind, ref string
	body      []byte
}

// event is a custody file. Its number and leaf come from its name, until
// the proof has shown that they are right.
type event struct {
	seq, leaf int64
	name      string
}

// hashAll hashes every file and compares its CRC-32.
func (c *check) hashAll(entries []entry) error {
	buf := make([]byte, 256<<10)
	for _, e := range entries {
		if _, twice := c.byName[e.name]; twice {
			c.report.fail(e.name, "文件名重复。", "The name occurs twice.")
			continue
		}
		h, crc := sha256.New(), crc32.NewIEEE()
		if _, err := io.CopyBuffer(io.MultiWriter(h, crc), c.section(e), buf); err != nil {
			return fmt.Errorf("read %s: %w", e.name, err)
		}
		c.order = append(c.order, e.name)
		c.byName[e.name] = &checked{entry: e, sum: [32]byte(h.Sum(nil))}
		if crc.Sum32() != e.crc {
			c.report.fail(e.name, "文件内容已损坏或被修改（CRC 不符）。", "The content is damaged or changed (CRC differs).")
		}
	}
	return nil
}

func (c *check) section(e entry) io.Reader {
	return io.NewSectionReader(c.r, e.offset+int64(len(e.local())), e.size)
}

// small reads a file into memory; it names what is wrong when it cannot.
func (c *check) small(name string) ([]byte, bool) {
	f := c.byName[name]
	if f == nil {
		c.report.fail(name, "文件缺失。", "The file is missing.")
		return nil, false
	}
	if f.size > maxSmall {
		c.report.fail(name, "文件过大。", "The file is too large.")
		return nil, false
	}
	b := make([]byte, f.size)
	_, err := io.ReadFull(c.section(f.entry), b)
	if err != nil || sha256.Sum256(b) != f.sum {
		c.report.fail(name, "文件读取失败。", "The file cannot be read.")
		return nil, false
	}
	return b, true
}

// key opens the public key, compares its fingerprint, and opens the checkpoint.
func (c *check) key(fingerprint string) {
	b, ok := c.small(keyName)
	if !ok {
		return
	}
	block, _ := pem.Decode(b)
	if block == nil || !bytes.Equal(pem.EncodeToMemory(block), b) {
		c.report.fail(keyName, "公钥格式不对。", "It is not a public key in PEM.")
		return
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	pub, isEd := parsed.(ed25519.PublicKey)
	if err != nil || !isEd {
		c.report.fail(keyName, "不是 Ed25519 公钥。", "It is not an Ed25519 public key.")
		return
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil || !bytes.Equal(der, block.Bytes) || len(block.Headers) != 0 || block.Type != "PUBLIC KEY" {
		c.report.fail(keyName, "公钥格式不对。", "It is not the only form of the key.")
		return
	}
	c.report.Fingerprint = ledger.Fingerprint(pub)
	if want := strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(fingerprint))); want != "" {
		if want != c.report.Fingerprint {
			c.report.fail(keyName, "公钥指纹与给定的指纹不同：本包不是由该系统签署。", "The key's fingerprint is not the given one: this package was not signed by that system.")
		} else {
			c.report.Compared = true
		}
	}
	c.pub = pub
	text, ok := c.small(checkpointName)
	if !ok {
		return
	}
	c.note = string(text)
	tree, err := ledger.OpenCheckpoint(c.note, pub)
	if err != nil {
		c.report.fail(checkpointName, "签名无效。", "The signature is not valid: "+err.Error())
		return
	}
	c.tree, c.report.LedgerSize = tree, tree.Size
}

// manifest reads the manifest; that it is the sealed one is checked in custody.
func (c *check) manifest() bool {
	b, ok := c.small(manifestName)
	if !ok {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c.m); err != nil {
		c.report.fail(manifestName, "清单无法读取。", "The manifest cannot be read.")
		return false
	}
	if c.m.Schema != Schema {
		c.report.fail(manifestName, "清单版本不受支持，请使用更新的核验工具。", "The manifest's schema is unknown; use a newer verifier.")
		return false
	}
	c.report.Case, c.report.Title, c.report.Institution, c.report.Items = c.m.Case.Number, c.m.Case.Title, c.m.Institution, len(c.m.Items)
	if c.pub != nil && (c.m.Fingerprint != ledger.Fingerprint(c.pub) || c.m.Log != ledger.Origin(c.pub)) {
		c.report.fail(manifestName, "清单写明的签名密钥与公钥不同。", "The manifest names another signing key.")
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
			want = append(want, manifestName)
		}
	}
	want = append(want, custodyName)
	var leafs []int64
	for _, r := range c.m.Records {
		leafs = append(leafs, r.Leaf)
	}
	for _, e := range c.events {
		want = append(want, e.name)
		leafs = append(leafs, e.leaf)
	}
	want = append(want, proofNames(leafs)...)
	want = append(append(append(want, checkpointName), c.outsideNames()...), sumsName)
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
	text, ok := c.small(sumsName)
	if !ok {
		return
	}
	var rest []string
	for _, n := range c.order {
		if n != sumsName {
			rest = append(rest, n)
		}
	}
	if !bytes.Equal(text, sums(rest, func(n string) [32]byte { return c.byName[n].sum })) {
		c.report.fail(sumsName, "哈希列表与文件不符。", "The list of hashes does not match the files.")
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
		if got.size != f.Bytes || hex.EncodeToString(got.sum[:]) != f.SHA256 {
			c.report.fail(f.Path, "文件内容与清单不符，已被修改。", "The content differs from the manifest; it was changed.")
		}
	}
}
