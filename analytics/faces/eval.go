package faces

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// Report is what an evaluation measured over all pairs of enrolled images.
type Report struct {
	People      int            `json:"people"`       // with at least one enrolled image
	Images      int            `json:"images"`       // that were read
	NotEnrolled int            `json:"not_enrolled"` // no face, several, or too poor
	Why         map[string]int `json:"not_enrolled_why"`
	Genuine     uint64         `json:"genuine_pairs"`
	Impostor    uint64         `json:"impostor_pairs"`
	EER         float64        `json:"eer"` // equal error rate, 0 to 1
	// AtFAR holds the true accept rate at false accept rates 1e-2, 1e-3 and
	// 1e-4. With fewer than 1/FAR impostor pairs it means no false accept at all.
	AtFAR   []Operating `json:"at_far"`
	ModelID string      `json:"model_id"`
	// Groups are measured at thresholds that other people were used to choose.
	Groups []Group `json:"groups"`
}

// Operating is one point of the curve.
type Operating struct {
	FAR       float64 `json:"far"`
	TAR       float64 `json:"tar"`
	Threshold float64 `json:"threshold"` // cosine
}

type enrolled struct {
	person    int
	name      string
	half      Half
	eastAsian bool
	template  ward.Template
}

// Eval enrols every image of dir (folders are people: Name/*.jpg, .jpeg or
// .png) and compares all pairs. subset, when not empty, keeps the people
// ("Name") and images ("Name/Name_0001.jpg") that it names. A manifest.csv in
// dir may say who is East Asian, see People. progress may be nil.
func Eval(ctx context.Context, pool *vision.Pool, dir string, subset map[string]bool, progress io.Writer) (Report, error) {
	images, err := list(dir, subset)
	if err != nil {
		return Report{}, err
	}
	east, err := eastAsian(dir)
	if err != nil {
		return Report{}, err
	}
	r := Report{Images: len(images), Why: map[string]int{}}
	all, err := enrolAll(ctx, pool, dir, images, &r, progress)
	if err != nil {
		return r, err
	}
	people := map[int]bool{}
	for i, e := range all {
		people[e.person], all[i].eastAsian = true, east[e.name]
		all[i].half = HalfOf(e.name)
	}
	r.People = len(people)
	genuine, impostor := compareAll(all)
	r.Genuine, r.Impostor = genuine.total(), impostor.total()
	r.EER = equalError(genuine, impostor)
	for _, far := range []float64{1e-2, 1e-3, 1e-4} {
		r.AtFAR = append(r.AtFAR, operate(genuine, impostor, far))
	}
	r.Groups = halves(all)
	return r, nil
}

type imageFile struct {
	path   string // below dir
	person int
}

func list(dir string, subset map[string]bool) ([]imageFile, error) {
	people, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	var out []imageFile
	for i, p := range people {
		if !p.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, p.Name()))
		if err != nil {
			return nil, fmt.Errorf("list images: %w", err)
		}
		for _, f := range files {
			path := filepath.Join(p.Name(), f.Name())
			if len(subset) > 0 && !subset[p.Name()] && !subset[filepath.ToSlash(path)] {
				continue
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".jpg", ".jpeg", ".png":
				out = append(out, imageFile{path, i})
			}
		}
	}
	if len(out) == 0 {
		return nil, &ward.Error{
			Kind: ward.Invalid, Code: "eval.no_images",
			ZH: "没有找到图像：每个人一个文件夹，内含 .jpg 或 .png", EN: "no images: give a folder of one folder per person with .jpg or .png files",
		}
	}
	return out, nil
}

// enrolAll looks at the images with all workers; the order is that of images.
func enrolAll(ctx context.Context, pool *vision.Pool, dir string, images []imageFile, r *Report, progress io.Writer) ([]enrolled, error) {
	templates := make([]ward.Template, len(images))
	var mu sync.Mutex // guards r, done and told
	done, told := 0, time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(pool.Workers, 1) + 1) // one image waits while the workers look
	for i, img := range images {
		g.Go(func() error {
			b, err := os.ReadFile(filepath.Join(dir, img.path))
			if err != nil {
				return err
			}
			t, seen, err := Enrol(ctx, pool, b)
			why, ok := errors.AsType[*ward.Error](err)
			if err != nil && (!ok || why.Kind != ward.Invalid) {
				return fmt.Errorf("image %s: %w", img.path, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.NotEnrolled++
				r.Why[why.Code]++
			}
			templates[i] = t
			if seen.ModelID != "" {
				r.ModelID = seen.ModelID
			}
			done++
			if progress != nil && (time.Since(told) > 2*time.Second || done == len(images)) {
				told = time.Now()
				_, _ = fmt.Fprintf(progress, "%d of %d images\n", done, len(images))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var all []enrolled
	for i, t := range templates {
		if t != nil {
			all = append(all, enrolled{person: images[i].person, name: filepath.Dir(images[i].path), template: t})
		}
	}
	return all, nil
}

// compareAll counts the cosines of all pairs.
func compareAll(all []enrolled) (genuine, impostor *histogram) {
	genuine, impostor = &histogram{}, &histogram{}
	var mu sync.Mutex // guards the two
	var wg sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for k := range n {
		wg.Go(func() {
			var g, im histogram
			for i := k; i < len(all); i += n {
				for j := range i {
					c := all[i].template.Cosine(all[j].template)
					if all[i].person == all[j].person {
						g.add(c)
					} else {
						im.add(c)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			genuine.join(&g)
			impostor.join(&im)
		})
	}
	wg.Wait()
	return genuine, impostor
}
