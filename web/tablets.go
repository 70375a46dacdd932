package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// TabletRow is a tablet as the console shows it.
type TabletRow struct {
	ward.Tablet

	Lost bool `json:"lost" doc:"Paired, and silent for too long"`
}

// TabletPlace is what a tablet is registered as.
type TabletPlace struct {
	InstitutionID ward.InstitutionID `json:"institution_id" maxLength:"64"`
	Ward          string             `json:"ward" minLength:"1" maxLength:"64"`
	Bed           string             `json:"bed,omitempty" maxLength:"64" doc:"Empty: rings for every bed of the ward that has no tablet of its own"`
	Name          string             `json:"name" minLength:"1" maxLength:"64"`
}

// TabletCode is a tablet with its pairing code, which is shown only here.
type TabletCode struct {
	Tablet TabletRow `json:"tablet"`
	Code   string    `json:"code" doc:"To be typed or scanned on the tablet at /tablet#CODE; works once, for ten minutes"`
}

// TabletPath names a tablet in the address.
type TabletPath struct {
	ID ward.TabletID `path:"id" maxLength:"64"`
}

func (s *Server) tabletRoutes(r *routes) {
	tags, may := []string{"tablets"}, ward.MayTablets
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/tablets", OperationID: "listTablets", Summary: "Ward tablets in scope", Tags: tags}, s.listTablets)
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/tablets", OperationID: "registerTablet", Summary: "Register a tablet; its pairing code is shown only in this answer", Tags: tags, DefaultStatus: http.StatusCreated}, s.registerTablet)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/tablets/{id}/code", OperationID: "recodeTablet", Summary: "A new pairing code; the paired device stays until it is used", Tags: tags, DefaultStatus: http.StatusCreated}, s.loadTablet, s.recodeTablet)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/tablets/{id}/ring", OperationID: "ringTablet", Summary: "Have a tablet ring, as a test; its receipt is rang", Tags: tags}, s.loadTablet, s.ringTablet)
	on(r, may, huma.Operation{Method: http.MethodDelete, Path: v1 + "/tablets/{id}", OperationID: "revokeTablet", Summary: "Revoke a tablet, at once and for good", Tags: tags, DefaultStatus: http.StatusNoContent}, s.loadTablet, s.revokeTablet)
}

func (s *Server) tabletRow(v ward.Tablet) TabletRow { return TabletRow{v, v.Lost(s.now())} }

func (s *Server) listTablets(ctx context.Context, in *InstitutionFilter) (*body[Page[TabletRow]], error) {
	all, err := s.Store.Tablets(ctx, callerOf(ctx).narrow(in.InstitutionID))
	out := make([]TabletRow, len(all))
	for i, v := range all {
		out[i] = s.tabletRow(v)
	}
	return items(out, err)
}

func (s *Server) loadTablet(ctx context.Context, in *TabletPath) (ward.Tablet, ward.InstitutionID, error) {
	v, err := s.Store.Tablet(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) registerTablet(ctx context.Context, in *body[TabletPlace]) (*body[TabletCode], error) {
	b, who := in.Body, callerOf(ctx)
	if !who.May(ward.MayTablets, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	code := newPairingCode()
	v, err := s.Store.AddTablet(ctx, ward.Tablet{InstitutionID: b.InstitutionID, Ward: b.Ward, Bed: b.Bed, Name: b.Name, RegisteredBy: who.ID}, codeHash(code))
	return s.coded(v, code, inBody(err))
}

func (s *Server) coded(v ward.Tablet, code string, err error) (*body[TabletCode], error) {
	if err != nil {
		return nil, err
	}
	s.tellTablet(v)
	return &body[TabletCode]{TabletCode{s.tabletRow(v), code[:4] + "-" + code[4:]}}, nil
}

func (s *Server) recodeTablet(ctx context.Context, _ *TabletPath, v ward.Tablet) (*body[TabletCode], error) {
	code := newPairingCode()
	v, err := s.Store.RecodeTablet(ctx, v.ID, codeHash(code))
	return s.coded(v, code, err)
}

func (s *Server) ringTablet(ctx context.Context, _ *TabletPath, v ward.Tablet) (*body[TabletRow], error) {
	v, err := s.Store.AskTablet(ctx, v.ID)
	if err == nil {
		s.tellTablet(v)
	}
	return answer(s.tabletRow(v), err)
}

func (s *Server) revokeTablet(ctx context.Context, _ *TabletPath, v ward.Tablet) (*empty, error) {
	v, err := s.Store.RevokeTablet(ctx, v.ID)
	if err == nil {
		s.tellTablet(v)
	}
	return &empty{}, err
}

// tellTablet tells the console and the tablet's own stream.
func (s *Server) tellTablet(v ward.Tablet) {
	s.Hub.Notify(string(TabletEvent), string(v.ID), v.InstitutionID)
}

// pairingLetters leaves out what is easily confused; eight of them are 39 bits.
const pairingLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

func newPairingCode() string {
	var b strings.Builder
	for b.Len() < 8 {
		var one [1]byte
		_, _ = rand.Read(one[:]) // never fails (Go 1.24)
		if n := int(one[0]); n < 256/len(pairingLetters)*len(pairingLetters) {
			b.WriteByte(pairingLetters[n%len(pairingLetters)])
		}
	}
	return b.String()
}

// codeHash is the hash of a code as somebody typed it.
func codeHash(code string) []byte {
	clean := strings.Map(func(c rune) rune {
		if strings.ContainsRune(pairingLetters, c) {
			return c
		}
		return -1
	}, strings.ToUpper(code))
	h := storage.HashToken("pair " + clean)
	return h[:]
}
