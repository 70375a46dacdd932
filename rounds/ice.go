package rounds

import (
	"context"
	"time"

	"wardwatch/rounds/relay"
	"wardwatch/ward"
)

// ICE is what a browser gives to its peer connection besides the offer. The
// media port needs no servers; the relay is for networks that do not let UDP through to it.
type ICE struct {
	Servers []relay.Credentials `json:"ice_servers"` // none: there is no relay
}

// BedsideICE are the servers for the device that opened a visit's link.
func (e *Engine) BedsideICE(ctx context.Context, device string) (ICE, error) {
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return ICE{}, err
	}
	return e.ice(v)
}

// CallICE are the servers for a user who may join the visit.
func (e *Engine) CallICE(v ward.Visit, by ward.User) (ICE, error) {
	if !by.May(ward.MayRound, v.InstitutionID) {
		return ICE{}, &ward.Error{Kind: ward.Forbidden, Code: "visit.forbidden", ZH: "您无权加入该查访。", EN: "You may not join this visit."}
	}
	return e.ice(v)
}

func (e *Engine) ice(v ward.Visit) (ICE, error) {
	switch v.State {
	case ward.VisitOpened, ward.VisitConsented, ward.VisitChecking, ward.VisitDeciding:
	case ward.VisitOrdered, ward.VisitSealed:
		return ICE{}, notNow()
	}
	out := ICE{Servers: []relay.Credentials{}}
	if e.Relay != nil {
		out.Servers = append(out.Servers, e.Relay.Grant(v.ID, time.Now()))
	}
	return out, nil
}
