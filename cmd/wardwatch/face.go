package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"wardwatch/analytics/faces"
	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

type faceCommand struct {
	Compare faceCompare `cmd:"" help:"Compare the faces in two pictures."`
	Eval    faceEval    `cmd:"" help:"Measure the face model on a folder of people."`
}

type faceCompare struct {
	A string `arg:"" help:"JPEG or PNG with one face."`
	B string `arg:"" help:"JPEG or PNG with one face."`
}

// Run prints the cosine and the outcome; a pair that does not match is an
// answer, not a failure.
func (f faceCompare) Run(e *terminal) error {
	a, err := os.ReadFile(f.A)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(f.B)
	if err != nil {
		return err
	}
	return withPool(e, 1, func(ctx context.Context, p *vision.Pool) error {
		cosine, m, err := faces.Compare(ctx, p, a, b)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.out, "%s cosine %.3f (match from %.3f, no match below %.3f)\n", m, cosine, ward.DefaultFaceThresholds.Match, ward.DefaultFaceThresholds.NoMatch)
		return err
	})
}

type faceEval struct {
	Images string `required:"" placeholder:"DIR" help:"Folders are people: Name/*.jpg."`
	Subset string `placeholder:"FILE" help:"Only the people or images that FILE names, one a line."`
	JSON   bool   `help:"Print the report as JSON."`
}

// Run compares all pairs.
func (f faceEval) Run(e *terminal) error {
	subset, err := readSubset(f.Subset)
	if err != nil {
		return err
	}
	return withPool(e, runtime.NumCPU(), func(ctx context.Context, p *vision.Pool) error {
		r, err := faces.Eval(ctx, p, f.Images, subset, e.errs)
		if err != nil {
			return err
		}
		if f.JSON {
			return json.NewEncoder(e.out).Encode(r)
		}
		_, _ = fmt.Fprintf(e.out, "people %d, images %d, not enrolled %d\npairs: %d genuine, %d impostor\nEER %.4f\n", r.People, r.Images, r.NotEnrolled, r.Genuine, r.Impostor, r.EER)
		for _, o := range r.AtFAR {
			_, _ = fmt.Fprintf(e.out, "TAR %.4f at FAR %.0e (threshold %.3f)\n", o.TAR, o.FAR, o.Threshold)
		}
		for _, g := range r.Groups {
			printGroup(e.out, g)
		}
		return nil
	})
}

// printGroup prints what thresholds chosen on one half of a group do on the other.
func printGroup(out io.Writer, g faces.Group) {
	_, _ = fmt.Fprintf(out, "%s, on the half that chose nothing: people %d, images %d, pairs: %d genuine, %d impostor (chosen on %d)\n", g.Group, g.People, g.Images, g.Genuine, g.Impostor, g.Chosen)
	for _, c := range g.Points {
		few := ""
		if c.Few {
			few = "; chosen on too few pairs"
		}
		_, _ = fmt.Fprintf(out, "  threshold %.3f (FAR %.0e for %s): TAR %.4f [%.4f, %.4f], FAR %.2e [%.2e, %.2e]%s\n",
			c.Threshold, c.Nominal, c.For, c.TAR.Rate, c.TAR.Low, c.TAR.High, c.FAR.Rate, c.FAR.Low, c.FAR.High, few)
	}
}

func readSubset(path string) (map[string]bool, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	subset := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name := strings.TrimSpace(lines.Text()); name != "" {
			subset[name] = true
		}
	}
	if len(subset) == 0 {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "face.subset", ZH: "子集文件 " + path + " 为空。", EN: "The subset file " + path + " is empty; name one person or image a line."}
	}
	return subset, lines.Err()
}

// withPool runs f with vision workers and stops them.
func withPool(e *terminal, workers int, f func(context.Context, *vision.Pool) error) error {
	c, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	c.Vision.Workers = workers
	p := newPool(c, e.log)
	ctx, stop := context.WithCancel(e.ctx)
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	err = f(ctx, p)
	stop()
	if runErr := <-done; err == nil {
		err = runErr
	}
	return err
}
