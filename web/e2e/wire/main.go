// Command wire is the cable of the browser tests of weak networks:
//
//	wire HERE NAMESPACE [rate=300 loss=5 …]
//
// makes a device HERE and one called eth0 in the network namespace, prints a
// line when they are joined, and takes lines of what is wrong with the cable
// (internal/simwire) on standard input until that closes. It needs root.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"wardwatch/internal/simwire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2], strings.Join(os.Args[3:], " ")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, here, namespace, text string) error {
	line, err := simwire.ParseLine(text)
	if err != nil {
		return err
	}
	there := here + "x"
	w, err := simwire.Open(here, there, line)
	if err != nil {
		return err
	}
	for _, args := range []string{"link set " + there + " netns " + namespace, "-n " + namespace + " link set " + there + " name eth0"} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	fmt.Println("joined")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with the process: a read of standard input cannot be cancelled
		defer stop()
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			l, err := simwire.ParseLine(lines.Text())
			if err != nil {
				log.Print(err)
				continue
			}
			w.Set(l)
		}
	}()
	return w.Run(ctx)
}
