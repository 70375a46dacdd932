//go:build cgo && vision

// Command wardwatch-vision is the contained worker that wardwatch starts: it
// decodes pictures and runs the models. It reads requests on stdin, answers
// on stdout, logs on stderr, and ends when stdin closes.
package main

import (
	"flag"
	"fmt"
	"os"

	"wardwatch/analytics/vision/contain"
	"wardwatch/analytics/vision/worker"
)

func main() {
	transcode := flag.Bool("transcode", false, "transcode one stream to H.264 instead of looking at pictures")
	models := flag.String("models", ".models", "folder of the model files")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "wardwatch-vision is started by wardwatch and speaks its protocol on stdin and stdout.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*models, *transcode); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(models string, transcode bool) error {
	if err := contain.Limit(); err != nil {
		return fmt.Errorf("contain the worker: %w", err)
	}
	if transcode {
		return worker.ServeCoder(os.Stdin, os.Stdout)
	}
	return worker.Serve(models, os.Stdin, os.Stdout)
}
