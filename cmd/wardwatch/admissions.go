package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"

	"wardwatch/ingest/mllp"
	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

type admissionsCommand struct {
	Import admissionsImport `cmd:"" help:"Take stays from a file: HL7 v2 ADT, FHIR encounters or CSV."`
}

type admissionsImport struct {
	File        string             `arg:"" help:"The file; - for standard input."`
	Institution ward.InstitutionID `required:"" placeholder:"ID" help:"Whose stays they are."`
	DryRun      bool               `help:"Only report what would be done."`
}

// maxStayFile is one byte more than is taken.
const maxStayFile = 5<<20 + 1

// Run reports line by line and exits with 1 when a line is wrong: nothing is
// changed then.
func (a admissionsImport) Run(e *terminal) error {
	in := io.Reader(os.Stdin)
	if a.File != "-" {
		f, err := os.Open(a.File)
		if err != nil {
			return &ward.Error{Kind: ward.Invalid, Code: "config", ZH: "无法读取文件，请检查路径和权限。", EN: "The file cannot be read; check its path and permissions.", Err: err}
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxStayFile))
	if err != nil {
		return fmt.Errorf("read admissions: %w", err)
	}
	return withStore(e, func(_ Config, s *storage.Store) error {
		r, err := web.ImportAdmissions(e.ctx, s, a.Institution, raw, a.DryRun)
		if err != nil {
			return err
		}
		for _, row := range r.Rows {
			for _, p := range row.Problems {
				_, _ = fmt.Fprintf(e.out, "%d %s %s: %s %s\n", row.Line, row.Action, p.Field, p.ZH, p.EN)
			}
		}
		_, _ = fmt.Fprintf(e.out, "begin %d, change %d, again %d, skip %d, errors %d, applied %v\n", r.Begin, r.Change, r.Again, r.Skip, r.Errors, r.Applied)
		if r.Errors > 0 {
			return exitError(exitFailed)
		}
		return nil
	})
}

// HL7 says where ADT messages are taken over MLLP.
type HL7 struct {
	Listen      string   `koanf:"listen"`      // host:port; empty: nowhere
	Senders     []string `koanf:"senders"`     // "10.1.2.0/24 FACILITY institution"
	Certificate string   `koanf:"certificate"` // PEM files; empty: without TLS
	Key         string   `koanf:"key"`
	ClientCA    string   `koanf:"client_ca"` // who signs the certificates of senders; empty: none is asked for
}

func (h HL7) senders() ([]mllp.Sender, error) {
	var all []mllp.Sender
	for _, text := range h.Senders {
		s, err := mllp.ParseSender(text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// check says whether the keys fit together; the files are read at the start.
func (h HL7) check() bool {
	all, err := h.senders()
	return err == nil && (h.Listen == "" || len(all) > 0) && (h.Certificate == "") == (h.Key == "") && (h.ClientCA == "" || h.Certificate != "")
}

// tls is nil without a certificate.
func (h HL7) tls() (*tls.Config, error) {
	if h.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(h.Certificate, h.Key)
	if err != nil {
		return nil, badConfig("", "无法读取 hl7.certificate 或 hl7.key", "hl7.certificate or hl7.key cannot be read")
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if h.ClientCA != "" {
		pem, err := os.ReadFile(h.ClientCA)
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if err != nil || !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, badConfig("", "无法读取 hl7.client_ca", "hl7.client_ca cannot be read")
		}
	}
	return c, nil
}

func (s *service) openHL7(hub *web.Hub) error {
	h := s.config.HL7
	if h.Listen == "" {
		return nil
	}
	senders, err := h.senders()
	if err != nil {
		return err
	}
	secure, err := h.tls()
	if err != nil {
		return err
	}
	s.hl7 = &mllp.Server{Store: s.store, Senders: senders, TLS: secure, Log: s.log, Notify: hub.Notify}
	return nil
}

func (s *service) takeHL7(ctx context.Context) error {
	l, err := listen(ctx, s.config.HL7.Listen)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "taking HL7 messages", "listen", l.Addr().String(), "tls", s.hl7.TLS != nil)
	return s.hl7.Run(ctx, l)
}
