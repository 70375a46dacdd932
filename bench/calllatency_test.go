package bench_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const talks = 4 // by each server, in turn: 24 s

// twoFaces is never a patient who is alone: the checks wait for one, and see
// more than they would of a patient, as long as the talk lasts.
const twoFaces = "fps=25,scale=640:720,split[a][b];[b]hflip[c];[a][c]hstack"

// BenchmarkCallLatency measures how long voice and pictures take from the
// bedside to the inspector and back by the whole service, with recording and
// checks, by MediaMTX (WHIP and WHEP) and by Galène (its own protocol), in turn, with
// the same ends. No registry has Galène's program: without one (PEER_GALENE)
// the run says that it is not compared.
func BenchmarkCallLatency(b *testing.B) {
	film := bedFilm(b, twoFaces)
	h := openHouse(b, 1)
	mediamtx := talkMediaMTX(b)
	peers := map[string]func() talk{"mediamtx": func() talk { return mediamtx.talk(b, film) }}
	if os.Getenv("PEER_GALENE") == "" {
		b.Log("NOT COMPARED WITH GALÈNE: name its program with PEER_GALENE=/path/to/galene")
	} else {
		galene := talkGalene(b)
		peers["galene"] = func() talk { return galene.talk(b, film) }
	}
	changes := h.changes()
	for b.Loop() {
		all := []*counts{{name: "ours"}}
		for _, name := range slices.Sorted(maps.Keys(peers)) {
			all = append(all, &counts{name: name})
		}
		for range talks {
			all[0].measure(b, h.talk(film, changes))
			for _, c := range all[1:] {
				c.measure(b, peers[c.name]())
			}
		}
		reportTalks(b, all)
	}
}

func reportTalks(b *testing.B, all []*counts) {
	b.Helper()
	var table strings.Builder // ten lines at most are shown
	for i, name := range laneNames {
		fmt.Fprintf(&table, "\n%s:", name)
		for _, c := range all {
			slices.Sort(c.of[i].delays)
			d := c.of[i].delays
			fmt.Fprintf(&table, " %s p50 %.2f, p99 %.1f ms, lost %d of %d;", c.name, ms(at(d, .5)), ms(at(d, .99)), c.of[i].lost, c.of[i].lost+len(d))
		}
	}
	b.Logf("%s", table.String())
	for k, medium := range []string{"voice", "picture"} {
		of := make([][]time.Duration, len(all)) // both ways
		for i, c := range all {
			of[i] = slices.Sorted(slices.Values(slices.Concat(c.of[2*k].delays, c.of[2*k+1].delays)))
		}
		for i, c := range all {
			if i == 0 {
				b.ReportMetric(ms(at(of[0], .5)), medium+"-p50-ms")
				b.ReportMetric(ms(at(of[0], .99)), medium+"-p99-ms")
				continue
			}
			b.ReportMetric(float64(at(of[0], .5))/float64(at(of[i], .5)), "×"+c.name+"-"+medium+"-p50")
			b.ReportMetric(float64(at(of[0], .99))/float64(at(of[i], .99)), "×"+c.name+"-"+medium+"-p99")
		}
	}
}

// talk lets the inspector step into a visit, with microphone and camera.
func (h *house) talk(film [][]byte, changes <-chan string) talk {
	b := h.b
	b.Helper()
	t := talk{bed: newEnd(b), inspector: newEnd(b)}
	v, link := h.order(h.bed(nil))
	bed := h.openOn(link, func(pc *webrtc.PeerConnection) {
		t.bed.sendsOn(pc, webrtc.RTPTransceiverDirectionSendrecv)
		t.bed.hears(t.inspector, pc)
	})
	t.bed.begin(film)
	h.live(v.ID, changes)
	pc := benchPC(b)
	t.inspector.sendsOn(pc, webrtc.RTPTransceiverDirectionSendrecv)
	t.inspector.hears(t.bed, pc)
	status, _, answer := h.call(http.MethodPost, "/visits/"+string(v.ID)+"/call", offerOf(b, pc))
	if status != http.StatusCreated {
		b.Fatalf("call: %d %s", status, answer)
	}
	answered(b, pc, string(answer))
	t.inspector.begin(film)
	t.hangUp = func() {
		if got := h.visit(v.ID).Visit.State; got != ward.VisitChecking {
			b.Fatalf("the visit is %s while they talk", got)
		}
		bed.post(h, "leave", nil)
		must(b, pc.Close())
		must(b, bed.pc.Close())
	}
	return t
}

// peerProgram is another server, named by the environment.
func peerProgram(b *testing.B, variable, name string) string {
	b.Helper()
	path := os.Getenv(variable)
	if path == "" {
		b.Fatalf("%s is missing: set %s to its program", name, variable)
	}
	if _, err := os.Stat(path); err != nil {
		b.Fatalf("%s: %v", variable, err)
	}
	return path
}
