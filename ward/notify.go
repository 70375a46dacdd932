package ward

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
)

// EventType is the CloudEvents type of a notification.
type EventType string

// The types of events. None holds personal data: ids, states and times only.
const (
	AlertRaisedEvent  EventType = "wardwatch.alert.raised"  // a rule fired, or fired again after it was withdrawn
	AlertChangedEvent EventType = "wardwatch.alert.changed" // a person decided on it, or it was withdrawn
	VisitSealedEvent  EventType = "wardwatch.visit.sealed"  // a bed of a round has its verdict
	TestEvent         EventType = "wardwatch.test"          // somebody pressed the test button; goes to that endpoint only
)

// Endpoint is a webhook: where events are posted.
type Endpoint struct {
	ID           EndpointID      `json:"id"`
	Name         string          `json:"name"`
	URL          string          `json:"url"`
	Secret       Secret          `json:"-"`            // whsec_ and base64; what events are signed with
	Types        []EventType     `json:"types"`        // empty: all
	Institutions []InstitutionID `json:"institutions"` // empty: all
	Disabled     bool            `json:"disabled"`     // events wait until it is enabled again
	LastSeq      int64           `json:"last_seq"`     // of its newest event; 0: it has had none
	Created      time.Time       `json:"created"`
}

// MaxEndpoints bounds how many there may be: each has a delivery of its own.
const MaxEndpoints = 32

// secretPrefix begins a secret as Standard Webhooks writes it.
const secretPrefix = "whsec_"

// SigningKey is the key that the secret stands for, of 24 to 64 bytes.
func (e *Endpoint) SigningKey() ([]byte, error) {
	text, ok := strings.CutPrefix(string(e.Secret), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, &Error{Kind: Invalid, Code: "endpoint.secret", ZH: "签名密钥应为 whsec_ 加 24 到 64 字节的 Base64。", EN: "The signing secret must be whsec_ and the base64 of 24 to 64 bytes."}
	}
	return key, nil
}

// Check says what is wrong with the endpoint's settings but its secret. plain allows http.
func (e *Endpoint) Check(plain bool) error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(e.URL) > 1024 || u.Scheme != "https" && u.Scheme != "http" {
		return &Error{Kind: Invalid, Code: "endpoint.url", ZH: "地址应以 https:// 开头，不含用户名、密码和 #。", EN: "The address must begin with https:// and have no user, password or fragment."}
	}
	if u.Scheme == "http" && !plain {
		return &Error{Kind: Invalid, Code: "endpoint.https", ZH: "地址必须使用 https（见配置项 notify.unencrypted）。", EN: "The address must use https (see the configuration's notify.unencrypted)."}
	}
	for _, t := range e.Types {
		if !slices.Contains([]EventType{AlertRaisedEvent, AlertChangedEvent, VisitSealedEvent}, t) { // a test goes to its endpoint whatever the filter
			return &Error{Kind: Invalid, Code: "endpoint.types", ZH: "没有这种事件类型。", EN: "There is no such type of event."}
		}
	}
	return nil
}

// Backlog is what has not arrived at an endpoint.
type Backlog struct {
	Waiting int64     `json:"waiting"`         // events that wait, for their turn or for the next try
	Oldest  time.Time `json:"oldest,omitzero"` // when the oldest of them happened
	Dead    int64     `json:"dead"`            // given up in the last 30 days
}

// DeliveryState says what became of an event for one endpoint.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending DeliveryState = "pending" // waits, for its turn or for the next try
	DeliveryDone    DeliveryState = "done"    // the receiver answered 2xx
	DeliveryDead    DeliveryState = "dead"    // given up after a day of tries; a replay tries again
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	EndpointID EndpointID    `json:"endpoint_id"`
	Seq        int64         `json:"seq"` // from 1, without holes for each endpoint
	EventID    string        `json:"event_id"`
	Type       EventType     `json:"type"`
	Body       []byte        `json:"-"` // the CloudEvent as it is sent
	At         time.Time     `json:"at"`
	Since      time.Time     `json:"-"`             // the tries began
	Next       time.Time     `json:"next,omitzero"` // not before
	Attempts   int           `json:"attempts"`      // failed ones since the tries began
	State      DeliveryState `json:"state"`
	Status     int           `json:"http_status,omitzero"` // of the last answer; 0: none came
	Failure    string        `json:"failure,omitempty"`    // of the last try, one of a few words: refused, timeout…
	Delivered  time.Time     `json:"delivered,omitzero"`
}
