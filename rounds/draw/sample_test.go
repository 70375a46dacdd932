package draw_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"wardwatch/rounds/draw"
)

// vector is one line of testdata/vectors.json: what a stranger's own program
// must reach. The file was written by replay.py, not by this package.
type vector struct {
	Commitment string `json:"commitment"`
	Source     string `json:"source"`
	Secret     string `json:"secret"`
	Seed       string `json:"seed"`
	Label      string `json:"label"`
	N          int    `json:"n"`
	K          int    `json:"k"`
	Picked     []int  `json:"picked"`
}

// TestVectors compares with the results of an independent program.
func TestVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(b, &all); err != nil || len(all) < 10 {
		t.Fatalf("%d vectors: %v", len(all), err)
	}
	for i, v := range all {
		seed := draw.Seed([32]byte(raw(t, v.Commitment)), raw(t, v.Source), [32]byte(raw(t, v.Secret)))
		if hex.EncodeToString(seed[:]) != v.Seed {
			t.Errorf("vector %d: seed %x, want %s", i, seed, v.Seed)
		}
		if got := draw.Pick(seed, v.Label, v.N, v.K); !slices.Equal(got, v.Picked) {
			t.Errorf("vector %d: %v, want %v", i, got, v.Picked)
		}
	}
}

// TestReplay runs the program that the page prints, where there is a Python,
// and finds the vectors unchanged.
func TestReplay(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("no python3 here: the vectors were written by it elsewhere, see TestVectors")
		return
	}
	out, err := exec.CommandContext(t.Context(), python, "testdata/replay.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != string(want) {
		t.Errorf("replay.py writes other vectors: %.300s", out)
	}
}

// TestPageHasTheProgram: the 30 lines in the page are those that are tested.
func TestPageHasTheProgram(t *testing.T) {
	program, err := os.ReadFile("testdata/replay.py")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../DRAW.md")
	if err != nil {
		t.Fatal(err)
	}
	core, _, ok := strings.Cut(string(program), "\n# Vectors")
	if !ok || strings.Count(core, "\n") > 30 || !strings.Contains(string(page), core) {
		t.Errorf("rounds/DRAW.md does not print the first %d lines of testdata/replay.py", strings.Count(core, "\n"))
	}
}

// TestPick: k different places of n, the same for the same seed and label.
func TestPick(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(r, "n")
		k := rapid.IntRange(0, n).Draw(r, "k")
		seed := sha256.Sum256(rapid.SliceOf(rapid.Byte()).Draw(r, "seed"))
		label := rapid.String().Draw(r, "label")
		got := draw.Pick(seed, label, n, k)
		if len(got) != k || !slices.Equal(got, draw.Pick(seed, label, n, k)) {
			r.Fatalf("%v of %d", got, n)
		}
		sorted := slices.Sorted(slices.Values(got))
		if len(slices.Compact(sorted)) != k || k > 0 && (sorted[0] < 0 || sorted[k-1] >= n) {
			r.Fatalf("%v of %d", got, n)
		}
	})
}

// TestUniform draws 3 of 20 from 100,000 fixed seeds. Each place must come up as
// often as another, at each position and in all: chi-square with 19 degrees of
// freedom is above 43.8 once in 1,000 at random; the seeds are fixed, so the
// outcome never changes.
func TestUniform(t *testing.T) {
	const n, k, draws = 20, 3, 100_000
	var at [k][n]int
	var pairs [n][n]int
	for i := range draws {
		seed := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("uniform"), uint32(i)))
		got := draw.Pick(seed, "bed/", n, k)
		for j, v := range got {
			at[j][v]++
		}
		pairs[got[0]][got[1]]++
	}
	for j, counts := range at {
		if x := chiSquare(counts[:], draws/n); x > 43.8 {
			t.Errorf("position %d: chi-square %.1f, counts %v", j, x, counts)
		}
	}
	var off []int
	for i := range n {
		for j := range n {
			if i != j {
				off = append(off, pairs[i][j])
			} else if pairs[i][j] != 0 {
				t.Errorf("place %d was drawn twice", i)
			}
		}
	}
	// 379 degrees of freedom: 0.1 % above 472.
	if x := chiSquare(off, float64(draws)/float64(n*(n-1))); x > 472 {
		t.Errorf("pairs: chi-square %.1f", x)
	}
}

func chiSquare(counts []int, want float64) float64 {
	var x float64
	for _, c := range counts {
		x += (float64(c) - want) * (float64(c) - want) / want
	}
	return x
}

func raw(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", s, err))
	}
	return b
}
