package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// EndpointView is an endpoint and what has not arrived there.
type EndpointView struct {
	ward.Endpoint
	ward.Backlog
}

// NewEndpoint is an endpoint to be made.
type NewEndpoint struct {
	Kind         ward.EndpointKind    `json:"kind,omitempty" doc:"webhook when left out"`
	Name         string               `json:"name" minLength:"1" maxLength:"64"`
	URL          string               `json:"url" minLength:"1" maxLength:"1024" doc:"Webhook: https://…, events are posted there as CloudEvents 1.0 in JSON. Email: mailto:name@example.org. MQTT: mqtts://broker:8883/topic, events are published to topic/events, and topic/status is online or offline"`
	User         string               `json:"user,omitempty" maxLength:"128" doc:"MQTT only"`
	Secret       string               `json:"secret,omitempty" maxLength:"128" doc:"Write-only. MQTT: the password. Webhook: whsec_ and the base64 of 24 to 64 random bytes; events are signed with it as Standard Webhooks has it: webhook-signature is v1, and the base64 of HMAC-SHA256 over webhook-id.webhook-timestamp.body"`
	Digest       int                  `json:"digest_minutes,omitempty" minimum:"0" maximum:"1440" doc:"Email only: at most one mail in so many minutes"`
	Types        []ward.EventType     `json:"types,omitempty" maxItems:"16" doc:"Only events of these types; empty: all"`
	Institutions []ward.InstitutionID `json:"institutions,omitempty" maxItems:"1000" doc:"Only events of these institutions; empty: all"`
}

// EndpointChange replaces what can be changed of an endpoint.
type EndpointChange struct {
	Name         string               `json:"name" minLength:"1" maxLength:"64"`
	URL          string               `json:"url" minLength:"1" maxLength:"1024"`
	User         string               `json:"user,omitempty" maxLength:"128"`
	Digest       int                  `json:"digest_minutes,omitempty" minimum:"0" maximum:"1440"`
	Secret       string               `json:"secret,omitempty" maxLength:"128" doc:"Write-only; leave it out to keep the stored one"`
	Types        []ward.EventType     `json:"types" maxItems:"16"`
	Institutions []ward.InstitutionID `json:"institutions" maxItems:"1000"`
	Disabled     bool                 `json:"disabled" doc:"Events wait until it is enabled again"`
}

// EndpointPath names an endpoint in the address.
type EndpointPath struct {
	ID ward.EndpointID `path:"id" maxLength:"64"`
}

type endpointChangeInput struct {
	EndpointPath
	Body EndpointChange
}

// Replay asks for events to be sent again.
type Replay struct {
	From int64 `json:"from" minimum:"1" doc:"The sequence number of the first; events have the same ids as before"`
}

type replayInput struct {
	EndpointPath
	Body Replay
}

// Replayed says how many events are sent again.
type Replayed struct {
	Events int64 `json:"events"`
}

type deliveryList struct {
	EndpointPath
	Paging
	State ward.DeliveryState `query:"state" doc:"dead: what was given up"`
}

func (s *Server) notificationRoutes(r *routes) {
	who, tags, path := everywhere(ward.MayAdminister), []string{"notifications"}, v1+"/notify-endpoints"
	add(r, who, huma.Operation{Method: http.MethodGet, Path: path, OperationID: "listNotifyEndpoints", Summary: "Where notifications go", Tags: tags}, s.listEndpoints)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: path, OperationID: "addNotifyEndpoint", Summary: "Add an endpoint; it gets what happens from now on", Tags: tags, DefaultStatus: http.StatusCreated}, s.addEndpoint)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: path + "/{id}", OperationID: "changeNotifyEndpoint", Summary: "Change an endpoint", Tags: tags}, s.changeEndpoint)
	add(r, who, huma.Operation{Method: http.MethodDelete, Path: path + "/{id}", OperationID: "deleteNotifyEndpoint", Summary: "Delete an endpoint and what waits for it", Tags: tags, DefaultStatus: http.StatusNoContent}, s.deleteEndpoint)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: path + "/{id}/test", OperationID: "testNotifyEndpoint", Summary: "Send a test event, after what waits already", Tags: tags, DefaultStatus: http.StatusNoContent}, s.testEndpoint)
	add(r, who, huma.Operation{Method: http.MethodPost, Path: path + "/{id}/replay", OperationID: "replayNotifyEndpoint", Summary: "Send events of the last 30 days again, from a sequence number on", Tags: tags}, s.replayEndpoint)
	add(r, who, huma.Operation{Method: http.MethodGet, Path: path + "/{id}/deliveries", OperationID: "listNotifyDeliveries", Summary: "What goes or went there, the newest first", Tags: tags}, s.listDeliveries)
}

func (s *Server) listEndpoints(ctx context.Context, _ *none) (*body[Page[EndpointView]], error) {
	all, err := s.Store.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	backlogs, err := s.Store.Backlogs(ctx)
	out := make([]EndpointView, len(all))
	for i, p := range all {
		out[i] = EndpointView{p, backlogs[p.ID]}
	}
	return items(out, err)
}

func (s *Server) addEndpoint(ctx context.Context, in *creation[NewEndpoint]) (*created[ward.Endpoint], error) {
	return once(ctx, s, "addNotifyEndpoint", in.Key, in.RawBody, func() (ward.Endpoint, error) {
		now, b := s.now(), in.Body
		p := ward.Endpoint{
			ID: ward.NewID[ward.EndpointID](now), Kind: cmp.Or(b.Kind, ward.Webhook), Name: b.Name, URL: b.URL, User: b.User, Secret: ward.Secret(b.Secret),
			Digest: b.Digest, Types: list(b.Types), Institutions: list(b.Institutions), Created: now.UTC(),
		}
		if err := p.Check(s.UnencryptedNotify); err != nil {
			return p, err
		}
		if err := p.CheckSecret(); err != nil {
			return p, err
		}
		if p.Kind == ward.Email && !s.SendsMail {
			return p, &ward.Error{Kind: ward.Invalid, Code: "endpoint.no_mail_server", ZH: "尚未配置邮件服务器（notify.smtp.address），请联系运维。", EN: "No mail server is configured (notify.smtp.address); ask the operator."}
		}
		return p, s.Store.AddEndpoint(ctx, p)
	})
}

func (s *Server) changeEndpoint(ctx context.Context, in *endpointChangeInput) (*body[ward.Endpoint], error) {
	p, err := s.Store.SecretEndpoint(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b, was := in.Body, p
	p.Name, p.URL, p.User, p.Digest, p.Types, p.Institutions, p.Disabled = b.Name, b.URL, b.User, b.Digest, list(b.Types), list(b.Institutions), b.Disabled
	if p.Secret = ward.Secret(b.Secret); b.Secret != "" {
		if err := p.CheckSecret(); err != nil {
			return nil, err
		}
	}
	if err := p.Check(s.UnencryptedNotify); err != nil {
		return nil, err
	}
	if b.Secret == "" && !p.MayInherit(was) {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "endpoint.password_again", ZH: "换了服务器，请重新填写密码。", EN: "This is another broker; give the password again."}
	}
	if err := s.Store.ChangeEndpoint(ctx, p); err != nil {
		return nil, err
	}
	return answer(s.Store.Endpoint(ctx, in.ID))
}

func (s *Server) deleteEndpoint(ctx context.Context, in *EndpointPath) (*empty, error) {
	return &empty{}, s.Store.DeleteEndpoint(ctx, in.ID)
}

func (s *Server) testEndpoint(ctx context.Context, in *EndpointPath) (*empty, error) {
	if _, err := s.Store.Endpoint(ctx, in.ID); err != nil {
		return nil, err
	}
	return &empty{}, s.Store.SendTest(ctx, in.ID)
}

func (s *Server) replayEndpoint(ctx context.Context, in *replayInput) (*body[Replayed], error) {
	if _, err := s.Store.Endpoint(ctx, in.ID); err != nil {
		return nil, err
	}
	n, err := s.Store.Replay(ctx, in.ID, in.Body.From, s.now())
	return answer(Replayed{n}, err)
}

func (s *Server) listDeliveries(ctx context.Context, in *deliveryList) (*body[Page[ward.Delivery]], error) {
	if _, err := s.Store.Endpoint(ctx, in.ID); err != nil {
		return nil, err
	}
	before, err := cursorSeq(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Deliveries(ctx, in.ID, storage.DeliveryFilter{State: in.State, Before: before, Limit: in.Limit})
	return answer(pageAfter(all, in.Limit, func(d ward.Delivery) string { return strconv.FormatInt(d.Seq, 10) }), err)
}

// cursorSeq reads a cursor that is a sequence number; an empty one is 0.
func cursorSeq(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	seq, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || seq < 1 {
		return 0, &ward.Error{Kind: ward.Invalid, Code: "cursor", ZH: "翻页位置不正确，请从第一页开始。", EN: "The cursor is not one of ours; begin with the first page."}
	}
	return seq, nil
}
