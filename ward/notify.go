package ward

import (
	"encoding/base64"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// EventType is the CloudEvents type of a notification.
type EventType string

// The types of events. None holds personal data: ids, states and times only.
const (
	AlertRaisedEvent    EventType = "wardwatch.alert.raised"    // a rule fired, or fired again after it was withdrawn
	AlertChangedEvent   EventType = "wardwatch.alert.changed"   // a person decided on it, or it was withdrawn
	OutageChangedEvent  EventType = "wardwatch.outage.changed"  // an outage was reported, withdrawn, not accepted, or accepted after all
	VisitSealedEvent    EventType = "wardwatch.visit.sealed"    // a bed of a round has its verdict
	VisitWaitingEvent   EventType = "wardwatch.visit.waiting"   // its checks left it to people, who have until the deadline
	VisitLapsedEvent    EventType = "wardwatch.visit.lapsed"    // nobody decided it until then; "sealed" follows
	RoundRemindedEvent  EventType = "wardwatch.round.reminded"  // beds have not answered and the deadline comes; goes to those the round names
	RoundEscalatedEvent EventType = "wardwatch.round.escalated" // the deadline passed without an answer of some; likewise
	TestEvent           EventType = "wardwatch.test"            // somebody pressed the test button; goes to that endpoint only
)

// EndpointKind says how events go to an endpoint.
type EndpointKind string

// The kinds of Endpoint.
const (
	Webhook EndpointKind = "webhook" // posted to https://…
	Email   EndpointKind = "email"   // mailed to mailto:…, several in one mail
	MQTT    EndpointKind = "mqtt"    // published to mqtts://broker/topic, quality of service 1
)

// Endpoint is where events go.
type Endpoint struct {
	ID           EndpointID      `json:"id"`
	Kind         EndpointKind    `json:"kind"`
	Name         string          `json:"name"`
	URL          string          `json:"url"`
	User         string          `json:"user,omitempty"`           // MQTT only; empty: none is told
	Secret       Secret          `json:"-"`                        // Webhook: whsec_ and base64, what events are signed with; MQTT: the password
	Digest       int             `json:"digest_minutes,omitempty"` // Email only: at most one mail in so many minutes, 1 to 1440
	Types        []EventType     `json:"types"`                    // empty: all
	Institutions []InstitutionID `json:"institutions"`             // empty: all
	Disabled     bool            `json:"disabled"`                 // events wait until it is enabled again
	LastSeq      int64           `json:"last_seq"`                 // of its newest event; 0: it has had none
	Created      time.Time       `json:"created"`
}

// Hears says whether the endpoint may be told of an institution.
func (e *Endpoint) Hears(inst InstitutionID) bool {
	return len(e.Institutions) == 0 || slices.Contains(e.Institutions, inst)
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

// Check says what is wrong with the endpoint's settings but its secret.
// unencrypted allows http and mqtt without TLS.
func (e *Endpoint) Check(unencrypted bool) error {
	var err error
	switch e.Kind {
	case Webhook:
		err = e.checkAddress("https", "http", unencrypted)
	case MQTT:
		if err = e.checkAddress("mqtts", "mqtt", unencrypted); err == nil {
			_, err = e.Topic()
		}
	case Email:
		_, err = e.Recipient()
	default:
		err = &Error{Kind: Invalid, Code: "endpoint.kind", ZH: "接收方式应为 webhook、email 或 mqtt。", EN: "The kind must be webhook, email or mqtt."}
	}
	if err != nil {
		return err
	}
	if e.Kind != MQTT && e.User != "" || e.Kind != Email && e.Digest != 0 || e.Kind == Email && (e.Digest < 1 || e.Digest > 24*60) {
		return &Error{Kind: Invalid, Code: "endpoint.extra", ZH: "只有 MQTT 有用户名；邮件须给出间隔（1 到 1440 分钟），其他方式没有间隔。", EN: "Only MQTT has a user; e-mail needs digest_minutes (1 to 1440), and nothing else has it."}
	}
	for _, t := range e.Types {
		if !slices.Contains([]EventType{AlertRaisedEvent, AlertChangedEvent, VisitSealedEvent, VisitWaitingEvent, VisitLapsedEvent, OutageChangedEvent, RoundRemindedEvent, RoundEscalatedEvent}, t) { // a test goes to its endpoint whatever the filter
			return &Error{Kind: Invalid, Code: "endpoint.types", ZH: "没有这种事件类型。", EN: "There is no such type of event."}
		}
	}
	return nil
}

// CheckSecret says what is wrong with the endpoint's secret.
func (e *Endpoint) CheckSecret() error {
	switch e.Kind {
	case Webhook:
		_, err := e.SigningKey()
		return err
	case Email:
		if e.Secret != "" {
			return &Error{Kind: Invalid, Code: "endpoint.secret", ZH: "邮件没有密钥。", EN: "E-mail has no secret."}
		}
	case MQTT: // any password, or none
	}
	return nil
}

// MayInherit says whether a changed endpoint may go on with the stored
// secret of was: a broker's password is told to no other broker, and to no other for want of TLS.
func (e *Endpoint) MayInherit(was Endpoint) bool {
	if e.Kind != MQTT || was.Secret == "" {
		return true
	}
	a, errA := url.Parse(e.URL)
	b, errB := url.Parse(was.URL)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && a.Host == b.Host
}

// checkAddress says what is wrong with a URL that must have the scheme secure, or plain where that is allowed.
func (e *Endpoint) checkAddress(secure, plain string, allowed bool) error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(e.URL) > 1024 || u.Scheme != secure && u.Scheme != plain {
		return &Error{Kind: Invalid, Code: "endpoint.url", ZH: "地址应以 " + secure + ":// 开头，不含用户名、密码和 #。", EN: "The address must begin with " + secure + ":// and have no user, password or fragment."}
	}
	if u.Scheme == plain && !allowed {
		return &Error{Kind: Invalid, Code: "endpoint.https", ZH: "地址必须使用 " + secure + "（见配置项 notify.unencrypted）。", EN: "The address must use " + secure + " (see the configuration's notify.unencrypted)."}
	}
	return nil
}

// Topic is what the topics of an MQTT endpoint begin with: the path of its URL.
func (e *Endpoint) Topic() (string, error) {
	u, err := url.Parse(e.URL)
	if err == nil {
		if topic := strings.Trim(u.Path, "/"); topic != "" && len(topic) <= 200 && !strings.ContainsAny(topic, "+#$\x00") && u.RawQuery == "" {
			return topic, nil
		}
	}
	return "", &Error{Kind: Invalid, Code: "endpoint.topic", ZH: "地址应带主题前缀，如 mqtts://broker:8883/wardwatch，不含 +、#、$。", EN: "The address needs a topic, as in mqtts://broker:8883/wardwatch, without +, # and $."}
}

// Recipient is whom an Email endpoint writes to.
func (e *Endpoint) Recipient() (string, error) {
	text, ok := strings.CutPrefix(e.URL, "mailto:")
	a, err := mail.ParseAddress(text)
	if !ok || err != nil || a.Address != text || len(text) > 254 {
		return "", &Error{Kind: Invalid, Code: "endpoint.recipient", ZH: "邮箱应形如 mailto:name@example.org。", EN: "The recipient must be like mailto:name@example.org."}
	}
	return text, nil
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
	DeliveryDone    DeliveryState = "done"    // the receiver took it
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
	Status     int           `json:"http_status,omitzero"` // of the last answer, an SMTP reply for mail; 0: none came
	Failure    string        `json:"failure,omitempty"`    // of the last try, one of a few words: refused, timeout…
	Delivered  time.Time     `json:"delivered,omitzero"`
}
