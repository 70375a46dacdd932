package notify_test

import (
	"crypto/tls"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
	"wardwatch/web/notify"
)

// letter is one mail that a server took.
type letter struct {
	from, to, subject, body string
	encrypted, signedIn     bool
}

// post is a mail server that keeps what it takes.
type post struct {
	t       *testing.T
	address string
	refuse  atomic.Int32 // so many mails are refused first, with 450
	mu      sync.Mutex   // guards letters
	letters []letter
}

// mailServer starts one, with STARTTLS when it has a certificate.
func mailServer(t *testing.T, certs ...tls.Certificate) *post {
	t.Helper()
	p := &post{t: t}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{post: p, conn: c}, nil }))
	if len(certs) > 0 {
		s.TLSConfig = &tls.Config{Certificates: certs, MinVersion: tls.VersionTLS12}
	}
	s.ErrorLog = quiet{}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p.address = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		must(t, s.Close())
		must(t, <-ended)
	})
	return p
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// visit is one connection to a post.
type visit struct {
	post *post
	conn *smtp.Conn
	in   letter
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "ward" || password != "pass word" {
			return smtp.ErrAuthFailed
		}
		v.in.signedIn = true
		return nil
	}), nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.in.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if v.post.refuse.Add(-1) >= 0 {
		return &smtp.SMTPError{Code: 450, Message: "later"}
	}
	v.in.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if v.in.subject, err = (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return err
	}
	v.in.body = strings.ReplaceAll(string(body), "\r\n", "\n")
	_, v.in.encrypted = v.conn.TLSConnectionState()
	v.post.mu.Lock()
	defer v.post.mu.Unlock()
	v.post.letters = append(v.post.letters, v.in)
	return nil
}

func (p *post) got() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.letters...)
}

// server is the configuration of p for a dispatcher.
func (p *post) server() notify.MailServer {
	p.t.Helper()
	text, err := web.Texts()
	must(p.t, err)
	return notify.MailServer{Address: p.address, From: "wardwatch@example.org", Console: "https://ward.example.org", Text: text}
}

func mailTo(t *testing.T, s *storage.Store) {
	t.Helper()
	must(t, s.AddEndpoint(t.Context(), ward.Endpoint{ID: "mail", Kind: ward.Email, Name: "x", URL: "mailto:leader@example.org", Digest: 15, Created: time.Now()}))
}

// The first event is mailed at once, over TLS and signed in; those of the
// next 15 minutes come together in one mail.
func TestMailIsADigest(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		must(t, s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}))
		must(t, s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
		p := mailServer(t, trusted)
		mailTo(t, s)
		again := ward.Endpoint{ID: "again", Kind: ward.Email, Name: "x", URL: "mailto:Leader@example.org", Digest: 1, Created: time.Now()}
		if err := s.AddEndpoint(t.Context(), again); ward.KindOf(err) != ward.Conflict {
			t.Errorf("a second digest for one recipient: %v", err)
		}
		id, err := raise(t.Context(), s)
		must(t, err)
		server := p.server()
		server.User, server.Password = "ward", "pass word"
		var ahead atomic.Int64
		run(t, &notify.Dispatcher{Store: s, Guard: local(), Mail: server, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
		until(t, "the first mail", func() bool { return len(p.got()) == 1 && deliveries(t, s, "mail")[0].State == ward.DeliveryDone })
		first := p.got()[0]
		if first.from != "wardwatch@example.org" || first.to != "leader@example.org" || !first.encrypted || !first.signedIn || !strings.Contains(first.subject, "1 条") {
			t.Errorf("got %+v", first)
		}
		for _, want := range []string{" 第一医院 · 出现疑点 · 空刷 · 待处理\n    https://ward.example.org/alerts/" + string(id) + "\n", " 第一医院 · Alert raised · Nobody at the counter · New\n", "+08:00"} {
			if !strings.Contains(first.body, want) {
				t.Errorf("%q is not in %q", want, first.body)
			}
		}
		for range 60 {
			must(t, s.SendTest(t.Context(), "mail"))
		}
		if due, err := s.DueEndpoints(t.Context(), time.Now().Add(14*time.Minute)); err != nil || len(due) != 0 {
			t.Errorf("due before the digest: %v, %v", due, err)
		}
		ahead.Store(int64(16 * time.Minute))
		until(t, "the digest", func() bool { return deliveries(t, s, "mail")[60].State == ward.DeliveryDone })
		if all := p.got(); len(all) != 2 || strings.Count(all[1].body, " · 测试\n") != 50 || !strings.Contains(all[1].body, "另有 10 条") || !strings.Contains(all[1].body, "10 more") {
			t.Errorf("got %d mails: %+v", len(all), all[1:])
		}
	})
}

// A server without TLS gets nothing, unless that is allowed; one that refuses is asked again.
func TestMailNeedsTLSAndIsTriedAgain(t *testing.T) {
	s := teststore.SQLite(t)
	p := mailServer(t)
	mailTo(t, s)
	must(t, s.SendTest(t.Context(), "mail"))
	server := p.server()
	stop := run(t, &notify.Dispatcher{Store: s, Guard: local(), Mail: server})
	until(t, "it is refused", func() bool { return deliveries(t, s, "mail")[0].Failure == "starttls" })
	stop()
	p.refuse.Store(1)
	server.Unencrypted = true
	run(t, &notify.Dispatcher{Store: s, Guard: local(), Mail: server})
	until(t, "it is refused for now", func() bool { return deliveries(t, s, "mail")[0].Failure == "smtp_450" })
	until(t, "it is delivered", func() bool { return deliveries(t, s, "mail")[0].State == ward.DeliveryDone })
	if all := p.got(); len(all) != 1 || all[0].encrypted {
		t.Errorf("got %+v", all)
	}
}
