package evidence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
)

// samplesOf returns the positions of the samples in each mdat of an MP4 file.
func samplesOf(t *testing.T, b []byte) [][2]int {
	t.Helper()
	var all [][2]int
	for at := 0; at < len(b); {
		n := int(b[at])<<24 | int(b[at+1])<<16 | int(b[at+2])<<8 | int(b[at+3])
		if string(b[at+4:at+8]) == "mdat" {
			all = append(all, [2]int{at + 8, at + n})
		}
		at += n
	}
	if len(all) < 2 {
		t.Fatalf("%d mdat boxes in %d bytes", len(all), len(b))
	}
	return all
}

// The attack that defeats a rival, which hashes the boxes around the samples:
// samples are replaced by others of the same sizes, from the same recording
// and from another, and no box is touched. The attacker computes every hash
// in the package again that is not sealed, and then also the sealed record's.
func TestExchangedSamplesAreRejected(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	j, order, files := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)}), names(t, b), unpack(t, b)
	var m pack.Manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	var media []string
	record := map[string]string{} // of a recording
	for _, it := range m.Items {
		if it.Segment != nil {
			media = append(media, it.Path)
			record[it.Path] = pack.RecordPath("segment", it.Leaf)
		}
	}
	for k, name := range media {
		own := samplesOf(t, files[name])
		from := media[(k+1)%len(media)]
		other := samplesOf(t, files[from])
		swapped, replaced := bytes.Clone(files[name]), bytes.Clone(files[name])
		copy(swapped[own[0][0]:own[0][1]], files[name][own[1][0]:own[1][1]])
		copy(swapped[own[1][0]:own[1][1]], files[name][own[0][0]:own[0][1]])
		for i, s := range own {
			copy(replaced[s[0]:s[1]], files[from][other[i][0]:other[i][1]])
		}
		for what, body := range map[string][]byte{"swapped": swapped, "replaced": replaced} {
			if len(body) != len(files[name]) || bytes.Equal(body, files[name]) || len(samplesOf(t, body)) != len(own) {
				t.Fatal("the forgery is none")
			}
			for level := range 3 {
				bad := maps.Clone(files)
				bad[name] = body
				want := name
				again := func(file string) {
					bad[file] = bytes.ReplaceAll(bad[file], []byte(hexSum(files[name])), []byte(hexSum(body)))
				}
				if level >= 1 {
					again("manifest.json")
				}
				if level >= 2 {
					again(record[name])
					bad["manifest.json"] = bytes.ReplaceAll(bad["manifest.json"], []byte(hexSum(files[record[name]])), []byte(hexSum(bad[record[name]])))
					want = record[name]
				}
				r := j.of(t, what, forge(order, bad), false)
				named := slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == want })
				if r.Authentic() || !named {
					t.Errorf("%s, %s, %d: %+v", name, what, level, r.Failures)
				}
			}
		}
	}
}

// fork is a package in which one record is another, with all that follows
// from it, by somebody who has the ledger's own key: another tree of the same
// size, signed, with proofs that hold.
func fork(t *testing.T, w *testcase.World, order []string, files map[string][]byte) []byte {
	t.Helper()
	key, err := ledger.OpenKey(filepath.Join(w.Options.Keys, "ledger.key"))
	if err != nil {
		t.Fatal(err)
	}
	bad := maps.Clone(files)
	manifest := string(files["manifest.json"])
	var alert, export string
	for _, n := range order {
		if strings.HasPrefix(n, "records/alert-") {
			alert = n
		}
		if strings.HasPrefix(n, "records/custody-") {
			export = n
		}
	}
	bad[alert] = bytes.Replace(files[alert], []byte("窗口无人"), []byte("窗口有人"), 1)
	bad["manifest.json"] = []byte(strings.ReplaceAll(strings.ReplaceAll(manifest, hexSum(files[alert]), hexSum(bad[alert])), fmt.Sprintf("%q: %d", "bytes", len(files[alert])), fmt.Sprintf("%q: %d", "bytes", len(bad[alert]))))
	for _, n := range order { // the item's hash is in the custody event that added it
		if strings.HasPrefix(n, "records/custody-") {
			bad[n] = bytes.ReplaceAll(bad[n], []byte(hexSum(files[alert])), []byte(hexSum(bad[alert])))
		}
	}
	bad[export] = bytes.ReplaceAll(bad[export], []byte(hexSum(files["manifest.json"])), []byte(hexSum(bad["manifest.json"])))
	var bodies [][]byte
	var before string
	for _, n := range order {
		if strings.HasPrefix(n, "records/custody-") {
			if before != "" {
				bad[n] = bytes.ReplaceAll(bad[n], []byte(hexSum(files[before])), []byte(hexSum(bad[before])))
			}
			before = n
			bodies = append(bodies, bad[n])
		}
	}
	bad["custody.json"] = pack.CustodyJSON(bodies)
	leaves := map[int64][]byte{}
	for _, n := range order {
		if rest, ok := strings.CutPrefix(n, "records/"); ok && !strings.HasSuffix(n, "-events.json") {
			parts := strings.Split(strings.TrimSuffix(rest, ".json"), "-")
			at, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			var s ledger.Sealed
			if err := json.Unmarshal(bad[n], &s); err != nil {
				t.Fatal(err)
			}
			if leaves[at], err = ledger.LeafOf(s.Kind, s.ID, bad[n]); err != nil {
				t.Fatal(err)
			}
		}
	}
	size := slices.Max(slices.Collect(maps.Keys(leaves))) + 1
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i := range size {
		more, err := tlog.StoredHashes(i, leaves[i], hashes)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		t.Fatal(err)
	}
	note, err := ledger.Checkpoint{Log: ledger.Origin(w.Store.PublicKey()), Size: size, Root: root}.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	bad["checkpoint"] = []byte(note)
	for i := range leaves {
		path, err := tlog.ProveRecord(size, i, hashes)
		if err != nil {
			t.Fatal(err)
		}
		bad[pack.ProofPath(i)] = []byte(ledger.Proof{Index: i, Hashes: path, Checkpoint: note}.String())
	}
	return forge(order, bad)
}

// Nobody but a witness can tell which of two trees signed with the ledger's
// own key is the one that others saw. With one that is asked for, a fork is rejected.
func TestAForkIsRejectedByWitnesses(t *testing.T) {
	w := testcase.SQLite(t)
	ask, _, trust := outsiders(t, w)
	trust.Authorities = nil // what the page knows
	c := clerk(w)
	c.Ask = ask
	p, err := c.Prepare(t.Context(), openAlert(t, w).ID, w.By, "移交")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	order, files := names(t, b.Bytes()), unpack(t, b.Bytes())
	asking, alone := newJudge(t, trust), newJudge(t, verify.Trust{Fingerprint: trust.Fingerprint})
	if r := asking.of(t, "untouched", b.Bytes(), false); !r.Authentic() {
		t.Fatalf("%+v", r.Failures)
	}
	if r := asking.of(t, "fork", fork(t, w, order, files), false); r.Authentic() || !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == "cosignatures" }) {
		t.Errorf("a fork: %+v", r.Failures)
	}
	bare := slices.DeleteFunc(slices.Clone(order), func(n string) bool { return n == "cosignatures" || n == "timestamp.tsr" })
	if r := asking.of(t, "bare fork", fork(t, w, bare, files), false); r.Authentic() {
		t.Error("a fork without cosignatures: accepted by somebody who asks for a witness")
	}
	// This shows that the fork is flawless but for the witness: the limit of a signature.
	if r := alone.of(t, "bare fork, no witness asked for", fork(t, w, bare, files), false); !r.Authentic() {
		t.Errorf("%+v", r.Failures)
	}
}
