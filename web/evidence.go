package web

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/storage/evidence"
	"wardwatch/ward"
)

// NewEvidence is something to add to a case: what one of the kinds segment,
// settlement, alert, visit, sighting, blind, draw and outage names by ref, or with the kind stretch what a
// camera or a visit recorded, and where it did not.
type NewEvidence struct {
	Kind     ward.EvidenceKind `json:"kind"`
	Ref      string            `json:"ref,omitempty" maxLength:"64" doc:"The id of the segment, settlement, alert, visit, sighting, blind period, draw or outage"`
	CameraID ward.CameraID     `json:"camera_id,omitempty" maxLength:"64" doc:"Of a stretch"`
	VisitID  ward.VisitID      `json:"visit_id,omitempty" maxLength:"64" doc:"Of a stretch: all of the visit's recording"`
	From     time.Time         `json:"from,omitzero" doc:"Of a camera's stretch"`
	To       time.Time         `json:"to,omitzero" doc:"Of a camera's stretch: at most 24 hours after from, and over"`
}

// Added is what was added to a case: nothing when it has all of it already.
type Added struct {
	Items []Evidence `json:"items"`
}

type newEvidenceInput struct {
	CasePath
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"The same key with the same body repeats the stored answer for 24 h; with another body it is refused"`
	RawBody []byte
	Body    NewEvidence
}

func (s *Server) addEvidence(ctx context.Context, in *newEvidenceInput, c ward.Case) (*created[Added], error) {
	return once(ctx, s, "addEvidence/"+string(c.ID), in.Key, in.RawBody, func() (Added, error) {
		items, err := s.addItem(ctx, in.Body, c)
		return added(items), err
	})
}

func added(items []ward.Evidence) Added {
	out := Added{make([]Evidence, len(items))}
	for i, e := range items {
		out.Items[i] = Evidence{e, hex.EncodeToString(e.SHA256[:])}
	}
	return out
}

func (s *Server) addItem(ctx context.Context, b NewEvidence, c ward.Case) ([]ward.Evidence, error) {
	by := callerOf(ctx).User
	switch b.Kind {
	case ward.EvidenceStretch:
		src := ward.Source{Kind: ward.FromCamera, ID: string(b.CameraID)}
		if b.VisitID != "" {
			src = ward.Source{Kind: ward.FromVisit, ID: string(b.VisitID)}
		}
		if err := s.mayAdd(ctx, c, src.ID, func() (ward.InstitutionID, error) { return s.institutionOf(ctx, src) }); err != nil {
			return nil, err
		}
		return s.clerk().AddStretch(ctx, c, src, c.InstitutionID, b.From, b.To, by)
	case ward.EvidenceSegment:
		err := s.mayAdd(ctx, c, b.Ref, func() (ward.InstitutionID, error) {
			g, err := s.Store.Segment(ctx, ward.SegmentID(b.Ref))
			return g.InstitutionID, err
		})
		if err != nil {
			return nil, err
		}
		return s.clerk().AddSegment(ctx, c.ID, ward.SegmentID(b.Ref), by)
	case ward.EvidenceSettlement:
		err := s.mayAdd(ctx, c, b.Ref, func() (ward.InstitutionID, error) {
			v, err := s.Store.Settlement(ctx, ward.SettlementID(b.Ref))
			return v.InstitutionID, err
		})
		if err != nil {
			return nil, err
		}
		return s.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: b.Kind, Ref: b.Ref}}, by)
	case ward.EvidenceAlert:
		err := s.mayAdd(ctx, c, b.Ref, func() (ward.InstitutionID, error) {
			a, err := s.Store.Alert(ctx, ward.AlertID(b.Ref))
			if err == nil && a.Shadow && !callerOf(ctx).Can(ward.MayAdminister) {
				err = notFound()
			}
			return a.InstitutionID, err
		})
		if err != nil {
			return nil, err
		}
		return s.clerk().AddAlert(ctx, c.ID, ward.AlertID(b.Ref), by)
	case ward.EvidenceVisit:
		err := s.mayAdd(ctx, c, b.Ref, func() (ward.InstitutionID, error) {
			v, err := s.Store.Visit(ctx, ward.VisitID(b.Ref))
			return v.InstitutionID, err
		})
		if err != nil {
			return nil, err
		}
		return s.clerk().AddVisit(ctx, c.ID, ward.VisitID(b.Ref), by)
	case ward.EvidenceSighting, ward.EvidenceBlind, ward.EvidenceDraw, ward.EvidenceOutage:
		return s.addSeen(ctx, b, c)
	case ward.EvidenceFile: // is uploaded: see addFile
	case ward.EvidenceSnapshot: // its name is a place in the store: it comes with its alert or visit
	}
	return nil, unknownItem()
}

// addSeen adds what was seen, or not seen, at an institution, and what says why.
func (s *Server) addSeen(ctx context.Context, b NewEvidence, c ward.Case) ([]ward.Evidence, error) {
	by := callerOf(ctx).User
	err := s.mayAdd(ctx, c, b.Ref, func() (inst ward.InstitutionID, err error) {
		switch b.Kind { //nolint:exhaustive // addItem has the others
		case ward.EvidenceSighting:
			v, err := s.Store.Sighting(ctx, ward.SightingID(b.Ref))
			return v.InstitutionID, err
		case ward.EvidenceBlind:
			v, err := s.Store.BlindPeriod(ctx, ward.BlindID(b.Ref))
			return v.InstitutionID, err
		case ward.EvidenceDraw:
			v, err := s.Store.Draw(ctx, ward.DrawID(b.Ref))
			return v.InstitutionID, err
		default:
			v, err := s.Store.Outage(ctx, ward.OutageID(b.Ref))
			return v.InstitutionID, err
		}
	})
	switch {
	case err != nil:
		return nil, err
	case b.Kind == ward.EvidenceSighting:
		return s.clerk().AddSighting(ctx, c.ID, ward.SightingID(b.Ref), by)
	case b.Kind == ward.EvidenceBlind:
		return s.clerk().AddBlind(ctx, c.ID, ward.BlindID(b.Ref), by)
	}
	return s.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: b.Kind, Ref: b.Ref}}, by)
}

// mayAdd says whether the caller may see the thing itself, and whether it is
// of the case's institution. Who may not see it hears what is said of nothing.
func (s *Server) mayAdd(ctx context.Context, c ward.Case, id string, of func() (ward.InstitutionID, error)) error {
	if id == "" {
		return unknownItem()
	}
	inst, err := of()
	if missing(err) || err == nil && !callerOf(ctx).May(ward.MayCase, inst) {
		return unknownItem()
	}
	if err == nil && inst != c.InstitutionID {
		return evidence.OtherInstitution()
	}
	return err
}

func (s *Server) institutionOf(ctx context.Context, src ward.Source) (ward.InstitutionID, error) {
	if src.Kind == ward.FromVisit {
		v, err := s.Store.Visit(ctx, ward.VisitID(src.ID))
		return v.InstitutionID, err
	}
	v, err := s.Store.Camera(ctx, ward.CameraID(src.ID))
	return v.InstitutionID, err
}

func unknownItem() error {
	return &ward.Error{Kind: ward.Invalid, Code: "evidence.subject", ZH: "请指定要加入的录像时段、录像、结算、疑点、查房、识别记录、盲区、抽取或停机报备，并确认您有权查看。", EN: "Name the stretch, recording, settlement, alert, visit, sighting, blind period, draw or outage to add, one that you may see."}
}

// fileInput is a file as it is, of any declared type, and not read yet: it
// goes from the connection to the object store.
type fileInput struct {
	CasePath
	Name    string `query:"name" required:"true" maxLength:"480" doc:"What the file is called; never a path"`
	content io.Reader
	length  int64 // as the request says, negative when it does not
}

// Resolve implements huma.Resolver.
func (in *fileInput) Resolve(hc huma.Context) []error {
	in.content, in.length = hc.BodyReader(), humaecho.Unwrap(hc).Request().ContentLength
	_ = hc.SetReadDeadline(time.Now().Add(uploadTimeout)) // a recorder of answers has none
	return nil
}

func (s *Server) addFile(ctx context.Context, in *fileInput, c ward.Case) (*created[Added], error) {
	return once(ctx, s, "addFile/"+string(c.ID), "", nil, func() (Added, error) {
		if in.length <= 0 {
			return Added{}, &ward.Error{Kind: ward.Invalid, Code: "upload.length", ZH: "文件为空，或请求没有给出文件大小（Content-Length）。", EN: "The file is empty, or the request does not say how long it is (Content-Length)."}
		}
		items, err := s.clerk().AddFile(ctx, c, in.Name, in.content, in.length, callerOf(ctx).User)
		return added(items), err
	})
}

// download serves a file that somebody uploaded: to be saved, never shown,
// whatever is in it.
func download(name string, content io.ReadSeekCloser) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer content.Close() //nolint:errcheck // only read
		c := humaecho.Unwrap(hc)
		h := c.Response().Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
		http.ServeContent(patient(c.Response()), c.Request(), "", time.Time{}, content)
	}}
}

func (s *Server) evidenceRoutes(r *routes) {
	on(r, ward.MayCase, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cases/{id}/files", OperationID: "addFile",
		Summary: "Add a file to an open case: PDF, JPEG or PNG of at most 20 MB", Tags: []string{"cases"}, DefaultStatus: http.StatusCreated,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
	}, func(ctx context.Context, in *fileInput) (ward.Case, ward.InstitutionID, error) {
		return s.loadCase(ctx, &in.CasePath)
	}, s.addFile)
	on(r, ward.MayCase, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cases/{id}/evidence", OperationID: "addEvidence",
		Summary: "Add a stretch of recording, a settlement, an alert, a visit, a sighting, a blind period, a draw or an outage to an open case", Tags: []string{"cases"}, DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *newEvidenceInput) (ward.Case, ward.InstitutionID, error) {
		return s.loadCase(ctx, &in.CasePath)
	}, s.addEvidence)
}
