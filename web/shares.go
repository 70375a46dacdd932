package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// NewShare is to whom a package is handed over, and for how long.
type NewShare struct {
	Party  ward.Party `json:"party"`
	Reason string     `json:"reason" minLength:"1" maxLength:"500"`
	Hours  int        `json:"hours" minimum:"1" maximum:"720" doc:"How long the link is valid"`
}

// ShareMade is a share with its secrets, which are shown only here.
type ShareMade struct {
	Share ward.Share `json:"share"`
	Token string     `json:"token" doc:"The link is /share#TOKEN"`
	Code  string     `json:"code" doc:"Eight digits; to be told by another way than the link"`
}

// SharePath names a share in the address.
type SharePath struct {
	ID ward.ShareID `path:"id" maxLength:"64"`
}

type newShareInput struct {
	CasePath
	Body NewShare
}

type revokeShareInput struct {
	SharePath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// ShareOpen is what the person outside brings.
type ShareOpen struct {
	Token string `json:"token" minLength:"8" maxLength:"64"`
	Code  string `json:"code" minLength:"4" maxLength:"16"`
}

// Shared is what the person outside sees.
type Shared struct {
	Party       ward.Party       `json:"party"`
	Number      string           `json:"number" doc:"Of the case"`
	Title       string           `json:"title"`
	Expires     time.Time        `json:"expires"`
	Fingerprint string           `json:"fingerprint" doc:"Of the key that signs the package, to be compared with one from elsewhere"`
	Deliveries  []ward.Delivered `json:"deliveries"`
}

// ShareReceipt confirms a delivery.
type ShareReceipt struct {
	Seq  int64  `json:"seq" minimum:"1" doc:"Of the delivery"`
	Name string `json:"name" minLength:"1" maxLength:"64" doc:"Who received it"`
}

type shareOpened struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Shared
}

func (s *Server) shareRoutes(r *routes) {
	tags, may := []string{"shares"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/cases/{id}/shares", OperationID: "shareCase", Summary: "Make a link by which one person outside fetches the package; its secrets are shown only in this answer", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *newShareInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.shareCase)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/shares", OperationID: "listShares", Summary: "The shares of a case with deliveries and receipts, newest first", Tags: tags}, s.loadCase, s.listShares)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/shares/{id}/revocation", OperationID: "revokeShare", Summary: "Withdraw a link, at once and for good", Tags: tags}, s.loadShare, s.revokeShare)
	add(r, anyone(), huma.Operation{Method: http.MethodPost, Path: v1 + "/shared/open", OperationID: "openShared", Summary: "Open a link with its code on this device; the device's secret is set as a cookie", Tags: tags}, s.openShared)
	add(r, recipientDevice(), huma.Operation{Method: http.MethodGet, Path: v1 + "/shared", OperationID: "getShared", Summary: "What is handed over to this device", Tags: tags}, s.getShared)
	add(r, recipientDevice(), media(huma.Operation{Method: http.MethodGet, Path: v1 + "/shared/package.zip", OperationID: "fetchShared", Summary: "The evidence package", Tags: tags}, "application/zip"), s.fetchShared)
	add(r, recipientDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/shared/receipt", OperationID: "confirmShared", Summary: "Confirm a delivery that arrived whole", Tags: tags}, s.confirmShared)
}

func shareCookie(secure bool) string {
	if secure {
		return "__Host-wardwatch-share"
	}
	return "wardwatch-share"
}

func (s *Server) shareOf(r *http.Request) (ward.Share, error) {
	c, err := r.Cookie(shareCookie(s.secure(r)))
	if err != nil || c.Value == "" {
		return ward.Share{}, newProblem(http.StatusUnauthorized, "share.unopened", "请先打开移交链接并输入验证码。", "Open the link and give its code first.")
	}
	device := storage.HashToken(c.Value)
	return s.Store.ShareByDevice(r.Context(), device[:], s.now())
}

// shareHere is the share of a request's device, checked by the route's policy.
func shareHere(ctx context.Context) ward.Share {
	v, _ := ctx.Value(shareKey{}).(ward.Share)
	return v
}

// shareCodeHash binds a code to its link: without the link, all codes may be tried and none is found.
func shareCodeHash(token, code string) []byte {
	h := sha256.Sum256([]byte("wardwatch share\n" + token + "\n" + code))
	return h[:]
}

func (s *Server) shareCase(ctx context.Context, in *newShareInput, c ward.Case) (*body[ShareMade], error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	code := fmt.Sprintf("%08d", n)
	token, hash := storage.NewToken()
	who := callerOf(ctx).User
	if _, err := s.clerk().Complete(ctx, c.ID, who); err != nil { // what was still being recorded when the case was opened
		return nil, err
	}
	b := in.Body
	v, err := s.Store.AddShare(ctx, ward.Share{CaseID: c.ID, Party: b.Party, Reason: b.Reason, Expires: s.now().Add(time.Duration(b.Hours) * time.Hour)},
		hash[:], shareCodeHash(token, code), who)
	return answer(ShareMade{v, token, code}, err)
}

func (s *Server) listShares(ctx context.Context, _ *CasePath, c ward.Case) (*body[Page[ward.Share]], error) {
	return items(s.Store.Shares(ctx, c.ID))
}

func (s *Server) loadShare(ctx context.Context, in *revokeShareInput) (ward.Share, ward.InstitutionID, error) {
	v, err := s.Store.Share(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) revokeShare(ctx context.Context, in *revokeShareInput, v ward.Share) (*body[ward.Share], error) {
	return answer(s.Store.RevokeShare(ctx, v.ID, in.Body.Reason, callerOf(ctx).User))
}

func (s *Server) openShared(ctx context.Context, in *body[ShareOpen]) (*shareOpened, error) {
	from := clientOf(ctx)
	if !s.opens.allow(from.addr) {
		return nil, tooMany()
	}
	secret, device := storage.NewToken()
	token := storage.HashToken(in.Body.Token)
	means := ward.MeansOf(ctx)
	means.Via = ward.ViaShare
	v, err := s.Store.OpenShare(ward.WithMeans(ctx, means), token[:], shareCodeHash(in.Body.Token, in.Body.Code), device[:])
	if err != nil {
		return nil, err
	}
	s.Log.InfoContext(ctx, "share opened", "share", v.ID)
	out, err := s.shared(ctx, v)
	return &shareOpened{http.Cookie{
		Name: shareCookie(from.tls), Value: secret, Path: "/", MaxAge: int(v.Expires.Sub(s.now()).Seconds()),
		Secure: from.tls, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}, out}, err
}

func (s *Server) shared(ctx context.Context, v ward.Share) (Shared, error) {
	c, err := s.Store.Case(ctx, v.CaseID)
	return Shared{v.Party, c.Number, c.Title, v.Expires, ledger.Fingerprint(s.Store.PublicKey()), v.Deliveries}, err
}

func (s *Server) getShared(ctx context.Context, _ *none) (*body[Shared], error) {
	return answer(s.shared(ctx, shareHere(ctx)))
}

// fetchShared streams the package. Only one that was taken whole is a delivery.
func (s *Server) fetchShared(ctx context.Context, in *Resuming) (*huma.StreamResponse, error) {
	v := shareHere(ctx)
	if !s.opens.allow("share/" + string(v.ID)) { // each is read whole, and an export
		return nil, tooMany()
	}
	return s.sendPackage(ctx, in, v.CaseID, v.Actor(), v.ID, func() (string, error) { return v.Reason, nil })
}

func (s *Server) confirmShared(ctx context.Context, in *body[ShareReceipt]) (*body[Shared], error) {
	v, err := s.Store.Confirm(ctx, shareHere(ctx).ID, in.Body.Seq, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return answer(s.shared(ctx, v))
}
