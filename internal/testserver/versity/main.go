// Command versity is the second S3 server of our tests: versitygw over a
// directory. It is its own process because the gateway changes the working
// directory and allows one instance per process.
//
//	versity ADDRESS DATA_DIR VERSIONS_DIR   # keys in ROOT_ACCESS_KEY and ROOT_SECRET_KEY
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "versity:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: versity ADDRESS DATA_DIR VERSIONS_DIR")
	}
	be, err := posix.New(os.Args[2], meta.XattrMeta{}, posix.PosixOpts{
		VersioningDir: os.Args[3], ValidateBucketNames: true, Concurrency: 64,
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", os.Args[2], err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return embedgw.RunVersityGW(ctx, be, &embedgw.Config{
		RootUserAccess: os.Getenv("ROOT_ACCESS_KEY"), RootUserSecret: os.Getenv("ROOT_SECRET_KEY"),
		Region: "us-east-1", Ports: []string{os.Args[1]}, Quiet: true, KeepAlive: true, HealthPath: "/healthz",
		MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000,
	})
}
