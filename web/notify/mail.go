package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"wardwatch/ward"
)

// mailTaken is the reply of a server that takes a mail.
const mailTaken = 250

// tlsPort is where servers speak TLS from the start; elsewhere STARTTLS is asked for.
const tlsPort = 465

// MailServer takes e-mail. Without an Address there is none.
type MailServer struct {
	Address     string // host:port
	From        string
	User        string // empty: none is told
	Password    ward.Secret
	Unencrypted bool   // go on without TLS when the server has none
	Console     string // address of the console, for links
	// Text is a text of the console, in Chinese and in English.
	Text func(key string) (zh, en string)
}

// Check says what is wrong with the settings.
func (m *MailServer) Check() error {
	if m.Address == "" {
		return nil
	}
	_, err := m.client()
	if err == nil {
		err = mail.NewMsg().From(m.From)
	}
	return err
}

func (m *MailServer) client() (*mail.Client, error) {
	host, text, err := net.SplitHostPort(m.Address)
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("port of the mail server: %w", err)
	}
	policy := mail.TLSMandatory
	if m.Unencrypted {
		policy = mail.TLSOpportunistic
	}
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	o := []mail.Option{mail.WithPort(port), mail.WithTimeout(tryTimeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(secure)}
	if port == tlsPort {
		o = append(o, mail.WithSSL())
	}
	if m.User != "" {
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.User), mail.WithPassword(string(m.Password)))
	}
	return mail.NewClient(host, o...)
}

// send sends one mail to the address of an endpoint and returns, in a word,
// what went wrong; status is the server's reply code when it refused.
func (m *MailServer) send(ctx context.Context, p ward.Endpoint, subject, body string, now time.Time) (status int, failure string) {
	to, err := p.Recipient()
	if err != nil {
		return 0, "address"
	}
	if m.Address == "" {
		return 0, "no_mail_server"
	}
	c, err := m.client()
	if err != nil {
		return 0, "address"
	}
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(m.From), msg.To(to)); err != nil {
		return 0, "address"
	}
	msg.Subject(subject)
	msg.SetDateWithValue(now)
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, body)
	if err := c.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() { // it may have been taken before the goodbye failed
		return mailFailure(err)
	}
	return mailTaken, ""
}

// mailFailure says in a word why a mail was not taken; the error itself may
// have the address or what the server says about it.
func mailFailure(err error) (status int, failure string) {
	if refused, ok := errors.AsType[*mail.SendError](err); ok && refused.ErrorCode() > 0 {
		return refused.ErrorCode(), fmt.Sprintf("smtp_%d", refused.ErrorCode())
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return reply.Code, fmt.Sprintf("smtp_%d", reply.Code)
	}
	if strings.Contains(err.Error(), "does not support STARTTLS") { // go-mail has no value for it
		return 0, "starttls"
	}
	return 0, word(err)
}
