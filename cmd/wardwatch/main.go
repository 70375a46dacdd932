// Command wardwatch is the service and its tools: recording, correlation,
// ward rounds, evidence, and the simulators of the demo. It is pure Go; what
// touches foreign pixels runs in wardwatch-vision.
//
// Exit codes: 0 done, 1 the thing asked for failed or was refused, 2 the
// command line, the configuration or a file given to it is wrong. verify and draw verify add
// 3, consistent but compared with no fingerprint, and 4, proven but
// incomplete as the package itself says; fsck gives 1 when it found problems.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// version is set by the build.
var version = "unknown"

// commands is the command line.
type commands struct {
	Config  string           `short:"c" type:"path" env:"WARDWATCH_CONFIG" placeholder:"FILE" help:"YAML; keys: deploy/wardwatch.yaml"`
	Version kong.VersionFlag `help:"Print the version."`

	Serve      serveCommand      `cmd:"" help:"Run the service."`
	Demo       demoCommand       `cmd:"" help:"Run a small simulated hospital with everything embedded."`
	Sim        simCommand        `cmd:"" help:"Simulate cameras or a bedside."`
	Verify     verifyCommand     `cmd:"" help:"Verify an evidence package, offline."`
	Witness    witnessCommand    `cmd:"" help:"Sign other people's ledgers while they only grow."`
	Draw       drawCommand       `cmd:"" help:"Verify an auditable draw of beds and inspectors, offline."`
	Rounds     roundsCommand     `cmd:"" help:"Check a sealed visit against its recording."`
	Keys       keysCommand       `cmd:"" help:"The keys that sign the ledger: list, replace, add SM2."`
	Fsck       fsckCommand       `cmd:"" help:"Check rows against objects and the ledger, with hashes."`
	Retention  retentionCommand  `cmd:"" help:"Print which recordings may be deleted."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database schema to this version."`
	Face       faceCommand       `cmd:"" help:"Compare faces, measure the face model."`
	Eval       evalCommand       `cmd:"" help:"Measure how right the alerts are."`
	Admissions admissionsCommand `cmd:"" help:"Take stays from a file of the hospital's system."`
}

// terminal is what every command runs with.
type terminal struct {
	ctx    context.Context
	config string
	log    *slog.Logger
	out    io.Writer
	errs   io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	exitFailed = 1
	exitUsage  = 2
)

func run(args []string, out, errs io.Writer) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("wardwatch"),
		kong.Description("Video surveillance and remote ward rounds for medical-insurance inspectors."),
		kong.Vars{"version": version}, kong.Writers(out, errs), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Exit(func(code int) { exit = code }))
	if err != nil {
		_, _ = fmt.Fprintln(errs, err)
		return exitUsage
	}
	cmd, err := parser.Parse(args)
	if exit >= 0 { // --help and --version have printed
		return exit
	}
	if err != nil {
		_, _ = fmt.Fprintf(errs, "wardwatch: %v (see wardwatch --help)\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = cmd.Run(&terminal{ctx: ctx, config: c.Config, log: slog.New(slog.NewTextHandler(errs, nil)), out: out, errs: errs})
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*ward.Error](err); ok {
		_, _ = fmt.Fprintf(errs, "wardwatch: %s\nwardwatch: %s\n", e.ZH, e.EN)
		if e.Err != nil {
			_, _ = fmt.Fprintf(errs, "wardwatch: cause: %v\n", e.Err)
		}
		if slices.Contains([]string{"config", "bedside.link", "package.unreadable", "proof.unreadable"}, e.Code) {
			return exitUsage
		}
		return exitFailed
	}
	if p, ok := errors.AsType[*simbed.Problem](err); ok { // the server's own words
		_, _ = fmt.Fprintf(errs, "wardwatch: %s\nwardwatch: %s (%d %s)\n", p.DetailZH, p.Detail, p.Status, p.Code)
		return exitFailed
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	_, _ = fmt.Fprintf(errs, "wardwatch: %v\n", err)
	return exitFailed
}

// exitError fails a command whose output has already said why.
type exitError int

func (s exitError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
