package main_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/ward"
	"wardwatch/web"
)

var takingAt = regexp.MustCompile(`taking HL7 messages.* listen=(\S+)`)

// sender is a hospital's system: it sends a message until it is acknowledged.
type sender struct {
	t     *testing.T
	conn  net.Conn
	in    *bufio.Reader
	acked int           // messages
	took  time.Duration // the last one, from sending it to its acknowledgement
}

// connect goes to the service's new address; the connection before is gone.
func (h *sender) connect(s *service) {
	h.t.Helper()
	until(h.t, "HL7 messages are taken", 10*time.Second, func() bool { return takingAt.MatchString(s.log.String()) })
	c, err := net.DialTimeout("tcp", takingAt.FindStringSubmatch(s.log.String())[1], 5*time.Second)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	h.conn, h.in = c, bufio.NewReader(c)
}

// next is the message after those that are acknowledged: the first admits, the others
// each move the patient to a bed of its own.
func (h *sender) next() string {
	n, event := h.acked+1, "A02"
	if n == 1 {
		event = "A01"
	}
	at := time.Date(2026, 11, 1, 0, 0, n, 0, time.UTC).Format("20060102150405") + "+0000"
	return fmt.Sprintf("\x0bMSH|^~\\&|HIS|HOSP1|WW|C|%s||ADT^%s|M%d|P|2.4\rEVN|%s|%s\rPID|1||110101199001011237^^^^NNCHN||Z\rPV1|1|I|W^^B%d||||||||||||||||ZY1\r\x1c\r", at, event, n, event, at, n)
}

// send sends the next message and waits for its acknowledgement; false when
// the service was killed before it came.
func (h *sender) send() bool {
	h.t.Helper()
	began := time.Now()
	if _, err := io.WriteString(h.conn, h.next()); err != nil {
		return false
	}
	answer, err := h.in.ReadString('\r')
	for err == nil && !strings.HasSuffix(answer, "\x1c\r") {
		var more string
		more, err = h.in.ReadString('\r')
		answer += more
	}
	if err != nil {
		return false
	}
	if !strings.Contains(answer, fmt.Sprintf("MSA|AA|M%d", h.acked+1)) {
		h.t.Fatalf("message %d: %q", h.acked+1, answer)
	}
	h.acked, h.took = h.acked+1, time.Since(began)
	return true
}

// TestAdmissionsAcrossSIGKILL kills the service around its acknowledgements,
// at random moments, while a hospital sends one message after the other and
// sends again what was not acknowledged: none is lost, none counts twice.
func TestAdmissionsAcrossSIGKILL(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{"sqlite": nil, "postgres": testserver.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"WARDWATCH_HL7_LISTEN=127.0.0.1:0", "WARDWATCH_HL7_SENDERS=127.0.0.0/8 HOSP1 h1"}
			if database != nil {
				env = append(env, "WARDWATCH_DATABASE="+database(t))
			}
			killAndSend(t, env)
		})
	}
}

func killAndSend(t *testing.T, env []string) {
	const kills = 8
	dir := t.TempDir()
	s := serve(t, dir, env...)
	c := signIn(t, s)
	c.must(201, "POST", "/api/v1/institutions", map[string]any{"id": "h1", "name": "第一医院"}, nil)
	h := &sender{t: t}
	kept := 0 // messages that were committed and not acknowledged
	for range kills {
		h.connect(s)
		for range 3 {
			if !h.send() {
				t.Fatalf("message %d was not acknowledged", h.acked+1)
			}
		}
		// From before the message is read to after its acknowledgement is.
		go func(wait time.Duration) {
			<-time.After(wait) // the moment is what is under test
			s.signal(syscall.SIGKILL)
		}(rand.N(h.took * 3 / 2))
		for h.send() {
		}
		<-s.ended
		s = serve(t, dir, env...)
		c = signIn(t, s)
		if events, _ := c.toldOf(); len(events) == h.acked+1 {
			kept++
		} else if len(events) != h.acked {
			t.Fatalf("%d messages are kept, %d were acknowledged", len(events), h.acked)
		}
	}
	h.connect(s)
	h.send()
	t.Logf("%d messages acknowledged over %d kills; %d times a message was committed and its acknowledgement lost", h.acked, kills, kept)
	events, beds := c.toldOf()
	if len(events) != h.acked || len(beds) != h.acked {
		t.Errorf("%d messages and %d beds, of %d acknowledged", len(events), len(beds), h.acked)
	}
	for i, b := range beds {
		if b.Bed != fmt.Sprintf("B%d", i+1) {
			t.Errorf("bed %d is %s", i+1, b.Bed)
		}
	}
	s.terminate()
	s.fsck()
}

// toldOf is what the service knows of the only stay.
func (c *client) toldOf() (events []web.ToldStep, beds []ward.BedStay) {
	c.t.Helper()
	var stays web.Page[web.RegisteredAdmission]
	c.must(200, "GET", "/api/v1/admission-register", nil, &stays)
	if len(stays.Items) != 1 {
		c.t.Fatalf("%d stays", len(stays.Items))
	}
	path := "/api/v1/admissions/" + string(stays.Items[0].ID)
	var told web.Page[web.ToldStep]
	c.must(200, "GET", path+"/events", nil, &told)
	var lay web.Page[ward.BedStay]
	c.must(200, "GET", path+"/beds", nil, &lay)
	return told.Items, lay.Items
}
