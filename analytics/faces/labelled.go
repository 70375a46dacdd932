package faces

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Half is one of two disjoint halves of the people of a folder: what is
// chosen on one is measured on the other.
type Half string

// The halves.
const (
	Calibration Half = "calibration"
	Measured    Half = "report"
)

// HalfOf says to which half a person belongs: by a hash of the name, so that
// it is the same wherever it is asked.
func HalfOf(name string) Half {
	if sha256.Sum256([]byte(name))[0]&1 == 0 {
		return Calibration
	}
	return Measured
}

// Labelled is one person of a folder.
type Labelled struct {
	Name      string
	Images    []string // below the folder, sorted
	EastAsian bool
	Half      Half
}

// People lists a folder of labelled faces: folders are people (Name/*.jpg,
// .jpeg or .png). A manifest.csv in it with the columns file and
// east_asian_list says who is East Asian; without one nobody is.
func People(dir string) ([]Labelled, error) {
	images, err := list(dir, nil)
	if err != nil {
		return nil, err
	}
	east, err := eastAsian(dir)
	if err != nil {
		return nil, err
	}
	var out []Labelled
	for _, img := range images {
		name := filepath.Dir(img.path)
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, Labelled{Name: name, EastAsian: east[name], Half: HalfOf(name)})
		}
		p := &out[len(out)-1]
		p.Images = append(p.Images, img.path)
	}
	return out, nil
}

// eastAsian reads who is, by name.
func eastAsian(dir string) (map[string]bool, error) {
	f, err := os.Open(filepath.Join(dir, "manifest.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	rows := csv.NewReader(f)
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	file, flag := slices.Index(head, "file"), slices.Index(head, "east_asian_list")
	if file < 0 || flag < 0 {
		return nil, errors.New("read manifest.csv: it needs the columns file and east_asian_list")
	}
	out := map[string]bool{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		if name, _, ok := strings.Cut(row[file], "/"); ok && row[flag] == "1" {
			out[name] = true
		}
	}
}
