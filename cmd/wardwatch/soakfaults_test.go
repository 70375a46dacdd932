package main_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

const (
	// faultEvery is how often each camera of a soak has its fault, and
	// killEvery how often the service is killed under it.
	faultEvery = 5 * time.Minute
	killEvery  = 30 * time.Minute
)

// soakCamera is a camera and what befalls it in the second half.
type soakCamera struct {
	clip      string
	transport ward.Transport
	always    simcam.Faults // what the camera is like from the start
	during    simcam.Faults // for a while, every faultEvery
	length    time.Duration // of during
}

func soakFaults() []soakCamera {
	tcp, udp, auto := ward.TransportTCP, ward.TransportUDP, ward.TransportAuto
	return []soakCamera{
		{"plain", tcp, simcam.Faults{}, simcam.Faults{}, 0},
		{"sound", udp, simcam.Faults{}, simcam.Faults{}, 0},
		{"h265", tcp, simcam.Faults{Auth: "basic"}, simcam.Faults{}, 0},
		{"bpics", auto, simcam.Faults{Transport: "tcp_only"}, simcam.Faults{ClockOffset: time.Hour}, time.Minute},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{Off: true}, 10 * time.Second},
		{"sound", tcp, simcam.Faults{}, simcam.Faults{Stall: true}, 20 * time.Second},
		{"plain", udp, simcam.Faults{}, simcam.Faults{Loss: .2}, time.Minute},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{NewSSRC: 20 * time.Second}, time.Minute},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{NewSPS: 10 * time.Second}, 45 * time.Second},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{RTPTime: "jumping"}, 10 * time.Second},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{RTPTime: "backwards"}, 10 * time.Second},
		{"plain", tcp, simcam.Faults{SessionTimeout: 8 * time.Second, GetParameter: 405}, simcam.Faults{RealFPS: 5, SessionTimeout: 8 * time.Second, GetParameter: 405}, time.Minute},
		{"plain", udp, simcam.Faults{}, simcam.Faults{Reorder: 1, Duplicate: 1}, time.Minute},
		{"sound", tcp, simcam.Faults{}, simcam.Faults{Audio: "garbage"}, time.Minute},
		{"plain", tcp, simcam.Faults{NoRTCP: true}, simcam.Faults{CutMidGOP: time.Second}, time.Second},
		{"plain", tcp, simcam.Faults{}, simcam.Faults{Garbage: "payload"}, 10 * time.Second},
	}
}

// faults plays the faults for a while; the function it returns waits for their end.
func (k *soak) faults(from time.Time, length time.Duration) func() {
	every, calm := faultEvery, 15*time.Second // calm is left to recover before the end
	if length < judgedFrom/2 {                // a brief soak, to see that it works
		every, calm = length, length/5
	}
	end := from.Add(length)
	var wg sync.WaitGroup
	for i, f := range soakFaults() {
		if f.length == 0 {
			continue
		}
		wg.Go(func() {
			lasts := min(f.length, every/3)
			for at := from.Add(every / 20 * time.Duration(1+i%4)); at.Add(lasts + calm).Before(end); at = at.Add(every) {
				<-time.After(time.Until(at))
				k.fault(k.paths[i], f, lasts)
			}
		})
	}
	wg.Go(func() { k.disasters(from, end) })
	return wg.Wait
}

func (k *soak) fault(path string, f soakCamera, lasts time.Duration) {
	if err := k.sim.Set(path, f.during); err != nil {
		k.t.Error(err)
	}
	<-time.After(lasts)
	if err := k.sim.Set(path, f.always); err != nil {
		k.t.Error(err)
	}
}

// disasters stops the object store, then the database, once each, when there are any.
func (k *soak) disasters(from, end time.Time) {
	if k.minio == nil {
		return
	}
	fifth := end.Sub(from) / 5
	<-time.After(time.Until(from.Add(fifth)))
	k.minio.Stop()
	<-time.After(min(fifth, time.Minute))
	k.minio.Start()
	<-time.After(time.Until(from.Add(3 * fifth)))
	k.postgres.Stop()
	<-time.After(min(fifth, 30*time.Second))
	k.postgres.Start(k.t)
}

// sample is what the process used at one moment.
type sample struct {
	at         time.Duration // since the soak began
	life       int
	rss        int64 // bytes
	goroutines int
}

// watch takes samples until end. With kill, it kills the service in the
// middle of every killEvery.
func (k *soak) watch(end time.Time, kill bool) {
	k.t.Helper()
	step := max(time.Second, min(time.Until(end)/20, 30*time.Second))
	killAt := time.Now().Add(killEvery / 2)
	for time.Now().Before(end) {
		<-time.After(min(step, time.Until(end)))
		k.measure()
		if kill && time.Now().After(killAt) && time.Until(end) > time.Minute {
			killAt = killAt.Add(killEvery)
			k.s.signal(syscall.SIGKILL)
			k.s.wait(5 * time.Second)
			k.s = serve(k.t, k.s.dir, k.s.env[3:]...) // what newSoak gave
			k.c.s = k.s
			k.lives++
			k.t.Log("the service was killed and started again")
		}
	}
}

func (k *soak) measure() {
	k.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.s.cmd.Process.Pid))
	if err != nil {
		k.t.Fatalf("the service is gone: %v\n%s", err, withoutRequests(k.s.log.String()))
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		k.t.Fatal(err)
	}
	k.c.must(200, "GET", "/api/v1/me", nil, nil) // a session that nobody uses would end
	status, text := k.c.call("GET", "/metrics", nil)
	_, after, found := bytes.Cut(text, []byte("\ngo_goroutines "))
	n, err := strconv.Atoi(string(bytes.TrimSpace(after[:max(0, bytes.IndexByte(after, '\n'))])))
	if status != 200 || !found || err != nil {
		k.t.Errorf("metrics: %d, %v", status, err)
	}
	x := sample{at: time.Since(k.began), life: k.lives, rss: kib << 10, goroutines: n}
	k.samples = append(k.samples, x)
	k.t.Logf("%6s  RSS %5.1f MB  %4d goroutines", x.at.Round(time.Second), float64(x.rss)/1e6, x.goroutines)
}

// memory compares the first third with the last third of the longest life.
func (k *soak) memory(judged bool) {
	k.t.Helper()
	var life []sample
	for n := range k.lives {
		var of []sample
		for _, x := range k.samples {
			if x.life == n+1 {
				of = append(of, x)
			}
		}
		if len(of) > len(life) {
			life = of
		}
	}
	third := len(life) / 3
	if third == 0 {
		k.t.Fatalf("%d samples of the memory", len(life))
	}
	early, late := median(life[:third], func(x sample) int64 { return x.rss }), median(life[len(life)-third:], func(x sample) int64 { return x.rss })
	fewer, more := median(life[:third], func(x sample) int64 { return int64(x.goroutines) }), median(life[len(life)-third:], func(x sample) int64 { return int64(x.goroutines) })
	k.t.Logf("RSS %.1f MB in the first third, %.1f MB in the last; goroutines %d and %d", float64(early)/1e6, float64(late)/1e6, fewer, more)
	if judged && float64(late) > float64(early)*mostGrowth+slackGrowth {
		k.t.Errorf("the memory grew from %d to %d bytes", early, late)
	}
	if judged && more > fewer+fewer/4+20 {
		k.t.Errorf("goroutines grew from %d to %d", fewer, more)
	}
}

func median(of []sample, what func(sample) int64) int64 {
	var all []int64
	for _, x := range of {
		all = append(all, what(x))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
