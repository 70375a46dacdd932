package ingest_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	all := &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	lan := &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.1/32")}}
	for _, c := range []struct {
		guard *ingest.Guard
		addr  string
		ok    bool
	}{
		{nil, "127.0.0.1", true},
		{&ingest.Guard{}, "192.168.1.64", true},
		{&ingest.Guard{}, "8.8.8.8", true},
		{&ingest.Guard{}, "fd12::1", true},
		{&ingest.Guard{}, "127.8.0.1", false},
		{&ingest.Guard{}, "::1", false},
		{&ingest.Guard{}, "::ffff:127.0.0.1", false},
		{&ingest.Guard{}, "169.254.169.254", false},
		{&ingest.Guard{}, "::ffff:169.254.169.254", false},
		{&ingest.Guard{}, "fe80::1%eth0", false},
		{&ingest.Guard{}, "0.0.0.0", false},
		{&ingest.Guard{}, "0.1.2.3", false},
		{&ingest.Guard{}, "::", false},
		{&ingest.Guard{}, "239.1.1.1", false},
		{&ingest.Guard{}, "ff02::1", false},
		{&ingest.Guard{}, "255.255.255.255", false},
		{&ingest.Guard{}, "100.100.100.199", true},
		{&ingest.Guard{}, "100.100.100.200", false},
		{&ingest.Guard{}, "::ffff:100.100.100.200", false},
		{&ingest.Guard{}, "168.63.129.16", false},
		{&ingest.Guard{}, "192.0.0.192", false},
		{&ingest.Guard{}, "fd00:ec2::254", false},
		{all, "169.254.1.1", true},
		{all, "127.0.0.1", true},
		{all, "169.254.169.254", false},
		{all, "169.254.170.2", false},
		{all, "100.100.100.200", false},
		{all, "168.63.129.16", false},
		{all, "fd00:ec2::254", false},
		{all, "fe80::a9fe:a9fe%eth0", false},
		{lan, "10.1.2.3", true},
		{lan, "127.0.0.1", true},
		{lan, "::ffff:10.1.2.3", true},
		{lan, "10.2.0.1", false},
		{lan, "127.0.0.2", false},
		{lan, "fd12::1", false},
	} {
		err := c.guard.Check(netip.MustParseAddr(c.addr))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ingest.ErrGuarded) {
			t.Errorf("%s under %v: got %v, want ok %v", c.addr, c.guard, err, c.ok)
		}
	}
}

// The server's own addresses are allowed only by name.
func TestGuardRefusesTheServersOwnAddresses(t *testing.T) {
	t.Parallel()
	own, err := net.InterfaceAddrs()
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	for _, o := range own {
		p := netip.MustParsePrefix(o.String())
		if err := (&ingest.Guard{}).Check(p.Addr()); !errors.Is(err, ingest.ErrGuarded) {
			t.Errorf("%s: %v", p, err)
		}
		if err := (&ingest.Guard{Networks: []netip.Prefix{p.Masked()}}).Check(p.Addr()); err != nil {
			t.Errorf("%s in its network: %v", p, err)
		}
	}
}

// What a name leads to is checked, not the name.
func TestFleetDialsNoGuardedAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(f *ingest.Fleet) { f.Guard = &ingest.Guard{} })
	addr, visits := sendsAway(t, func() string { return "" })
	ids := map[ward.CameraID]string{"by-address": addr, "by-name": strings.Replace(addr, "127.0.0.1", "localhost", 1)}
	for id, a := range ids {
		addCamera(t, r.store, camera(id, "rtsp://"+a+"/cam"))
	}
	for id := range ids {
		until(t, string(id)+" is refused", 10*time.Second, func() bool {
			return slices.ContainsFunc(r.gaps(t, id), func(g ward.Gap) bool { return g.Cause == ward.CauseUnreachable })
		})
	}
	r.stop()
	if n := visits.Load(); n != 0 {
		t.Errorf("%d connections to an address that is guarded", n)
	}
}

// A device gets no more connections than it may have.
func TestConnectionsToADeviceAreLimited(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(f *ingest.Fleet) { f.PerDevice = 2 })
	cam := serve(t, h264Clip(t))
	ids := []ward.CameraID{"cam-1", "cam-2", "cam-3"}
	for _, id := range ids {
		addCamera(t, r.store, camera(id, cam.url))
	}
	count := func(has func(ward.CameraID) bool) (n int) {
		for _, id := range ids {
			if has(id) {
				n++
			}
		}
		return n
	}
	until(t, "two record and one is told why not", 20*time.Second, func() bool {
		return count(func(id ward.CameraID) bool { return len(r.segments(t, id)) > 0 }) == 2 &&
			count(func(id ward.CameraID) bool { return r.fleet.State(id).Cause == ward.CauseBusy }) == 1
	})
}
