// Package simwire is a network cable for tests, between two network
// namespaces: thin, lossy, jittery, or with a firewall in it. Both ends are
// TAP devices, so that any program, a browser for one, uses it as it is. It needs root.
package simwire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const frameMax = 2048 // bytes; the devices' MTU is 1500

// Wire joins two TAP devices of this namespace, of which one is then moved
// to another (ip link set NAME netns …): it works on.
type Wire struct {
	ends [2]*os.File
	ways [2]way
}

// Open makes the devices called a and b.
func Open(a, b string, l Line) (*Wire, error) {
	w := &Wire{}
	for i, name := range []string{a, b} {
		f, err := tap(name)
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
		w.ends[i] = f
		w.ways[i] = way{line: l, wake: make(chan struct{}, 1)}
	}
	return w, nil
}

// tap makes a TAP device that is gone when its file is closed.
func tap(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the device %s: %w", name, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Set changes what is wrong with the line, for frames that come from now on.
func (w *Wire) Set(l Line) {
	for i := range w.ways {
		w.ways[i].mu.Lock()
		w.ways[i].line = l
		w.ways[i].mu.Unlock()
	}
}

// Run carries frames until ctx ends or an end is gone, and closes the wire.
func (w *Wire) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	errs := make([]error, len(w.ends))
	for i := range w.ways {
		all.Go(func() { w.carry(ctx, w.ends[1-i], &w.ways[i]) })
		all.Go(func() {
			defer stop()
			for ctx.Err() == nil {
				b := make([]byte, frameMax)
				n, err := w.ends[i].Read(b)
				if errors.Is(err, unix.EIO) || errors.Is(err, unix.EBADFD) { // the device is down, or between two namespaces
					idle(ctx, 10*time.Millisecond)
					continue
				}
				if err != nil {
					errs[i] = err
					return
				}
				w.ways[i].push(b[:n], time.Now())
			}
		})
	}
	<-ctx.Done()
	err := w.Close() // ends the reads
	all.Wait()
	for _, e := range errs {
		if !errors.Is(e, os.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// carry writes what is due.
func (*Wire) carry(ctx context.Context, to *os.File, w *way) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		b, wait := w.pop(time.Now())
		if b != nil {
			_, _ = to.Write(b) // a device that is down loses it, as a cable does
			continue
		}
		t.Reset(wait)
		select {
		case <-t.C:
		case <-w.wake:
		case <-ctx.Done():
			return
		}
	}
}

func idle(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Close takes the devices away.
func (w *Wire) Close() error {
	var errs []error
	for _, f := range w.ends {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
