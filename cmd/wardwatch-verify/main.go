// Command wardwatch-verify is `wardwatch verify` alone: it tells, offline, whether
// an evidence package is as it was exported. Exit codes are in its help.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"wardwatch/storage/evidence/verify"
	"wardwatch/ward"
)

// version is set by the build.
var version = "unknown"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	var c struct {
		verify.Command
		Version kong.VersionFlag `help:"Print the version."`
	}
	exit := -1
	parser, err := kong.New(&c, kong.Name("wardwatch-verify"),
		kong.Description("核验 Wardwatch 证据包，无需联网。Verify an evidence package of Wardwatch, offline."),
		kong.Vars{"version": version}, kong.Writers(out, errs), kong.Exit(func(code int) { exit = code }))
	if err == nil {
		_, err = parser.Parse(args)
	}
	if exit >= 0 { // --help and --version have printed
		return exit
	}
	if err != nil {
		_, _ = fmt.Fprintf(errs, "wardwatch-verify: %v\nwardwatch-verify FILE.zip --key FINGERPRINT (--help)\n", err)
		return verify.ExitUsage
	}
	code, err := c.Verify(out)
	if e, ok := errors.AsType[*ward.Error](err); ok {
		_, _ = fmt.Fprintf(errs, "wardwatch-verify: %s\nwardwatch-verify: %s\n", e.ZH, e.EN)
		err = e.Err
	}
	if err != nil {
		_, _ = fmt.Fprintf(errs, "wardwatch-verify: %v\n", err)
	}
	return code
}
