package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/rounds/drand"
	"wardwatch/storage/facesearch"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web/notify"
)

// Config is the whole configuration: one YAML file, then environment
// variables (WARDWATCH_OBJECTS_KIND sets objects.kind). deploy/wardwatch.yaml
// documents every key and is read by a test.
type Config struct {
	Listen    string   `koanf:"listen"`     // host:port of the console and API
	PublicURL string   `koanf:"public_url"` // what browsers type, when not http://listen; https:// says that a proxy ends TLS
	Proxies   []string `koanf:"proxies"`    // in CIDR, whose X-Forwarded-For is believed
	Data      string   `koanf:"data"`       // folder of the spool, keys, SQLite file and directory store
	Database  string   `koanf:"database"`   // postgres://… or empty for SQLite in data
	// MetricsToken must come as a bearer token with /metrics.
	MetricsToken ward.Secret `koanf:"metrics_token"`
	Spool        Spool       `koanf:"spool"`
	Upload       Upload      `koanf:"upload"`
	Objects      Objects     `koanf:"objects"`
	Vision       Vision      `koanf:"vision"`
	WebRTC       WebRTC      `koanf:"webrtc"`
	Rounds       Rounds      `koanf:"rounds"`
	Live         Live        `koanf:"live"`
	Cameras      Cameras     `koanf:"cameras"`
	Notify       Notify      `koanf:"notify"`
	Draws        Draws       `koanf:"draws"`
	HL7          HL7         `koanf:"hl7"`
	Ledger       Ledger      `koanf:"ledger"`
	Cases        Cases       `koanf:"cases"`
}

// Cases says how cases are numbered.
type Cases struct {
	Number string `koanf:"number"` // a pattern, see ward.ParseCaseNumbers
}

// Notify says where notifications may go.
type Notify struct {
	Networks    []string `koanf:"networks"`    // in CIDR, as those of cameras
	Unencrypted bool     `koanf:"unencrypted"` // allow webhooks and brokers without TLS
	SMTP        SMTP     `koanf:"smtp"`
}

// SMTP is the server that takes e-mail.
type SMTP struct {
	Address     string      `koanf:"address"`
	From        string      `koanf:"from"`
	User        string      `koanf:"user"`
	Password    ward.Secret `koanf:"password"`
	Unencrypted bool        `koanf:"unencrypted"` // go on when the server has no TLS
}

// mailServer is the server that takes e-mail, as the dispatcher needs it.
func (c *Config) mailServer(text func(string) (zh, en string)) notify.MailServer {
	m, console := c.Notify.SMTP, c.PublicURL
	if console == "" {
		console = "http://" + c.Listen
	}
	return notify.MailServer{
		Address: m.Address, From: m.From, User: m.User, Password: m.Password, Unencrypted: m.Unencrypted,
		Console: strings.TrimSuffix(console, "/"), Text: text,
	}
}

// Cameras says where cameras may be.
type Cameras struct {
	Networks  []string `koanf:"networks"`   // in CIDR; empty: everywhere but on this machine and its link; never where clouds keep credentials
	PerDevice int      `koanf:"per_device"` // connections to one address and port
}

// guardOf allows addresses in networks, or, when there are none, all but this machine's own.
func guardOf(networks []string) (*ingest.Guard, error) {
	n, err := prefixes(networks)
	return &ingest.Guard{Networks: n}, err
}

// prefixes reads networks in CIDR.
func prefixes(networks []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range networks {
		n, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// Objects says where media go.
type Objects struct {
	Kind      string      `koanf:"kind"` // directory or s3
	Endpoint  string      `koanf:"endpoint"`
	Region    string      `koanf:"region"`
	Bucket    string      `koanf:"bucket"`
	AccessKey string      `koanf:"access_key"`
	SecretKey ward.Secret `koanf:"secret_key"`
	TLS       bool        `koanf:"tls"`
}

// Spool bounds the recordings that wait on this machine.
type Spool struct {
	Limit   Size `koanf:"limit"`   // most that it may hold; 0: what the disk has
	Reserve Size `koanf:"reserve"` // what stays free on its disk for the database and the ledger
}

// Upload says how recordings go to the object store.
type Upload struct {
	MbitS   float64 `koanf:"mbit_s"`  // most of all uploads together; 0: no limit
	Workers int     `koanf:"workers"` // recordings that travel at the same time
}

// Vision says how the workers run.
type Vision struct {
	Path    string `koanf:"path"`   // of wardwatch-vision; empty: beside this binary
	Models  string `koanf:"models"` // folder; empty: WARDWATCH_MODELS or .models
	Workers int    `koanf:"workers"`
	// FacesInMemory bounds the index of face search.
	FacesInMemory int `koanf:"faces_in_memory"`
}

// Live says what live views may cost.
type Live struct {
	Transcodes int `koanf:"transcodes"` // H.265 and MJPEG streams coded again at a time, a core each
}

// WebRTC says how browsers reach the media port.
type WebRTC struct {
	UDPPort   int      `koanf:"udp_port"`   // one port for all calls; 0: any
	PublicIPs []string `koanf:"public_ips"` // announced instead of the machine's own
	Loopback  bool     `koanf:"loopback"`   // offer 127.0.0.1 as well
	TURN      TURN     `koanf:"turn"`
}

// TURN says where media are relayed from when no UDP reaches the media port.
type TURN struct {
	UDP         string `koanf:"udp"` // host:port to listen on; empty: not there
	TCP         string `koanf:"tcp"`
	TLS         string `koanf:"tls"`
	Certificate string `koanf:"certificate"` // PEM files, for TLS
	Key         string `koanf:"key"`
	Host        string `koanf:"host"` // as browsers know this machine; empty: that of public_url
}

// Rounds says how visits are conducted.
type Rounds struct {
	Resume        time.Duration `koanf:"resume"`         // how long a visit waits for a bedside that went silent
	RetentionDays int           `koanf:"retention_days"` // how long its recording is kept, as the first page says
	AtOnce        int           `koanf:"at_once"`        // visits that are judged at a time; 0: what the vision workers can look at well
	Authority     Authority     `koanf:"authority"`
}

// perWorker is how many visits one vision worker looks at well at a time.
const perWorker = 5

// atOnce is how many visits are judged at a time.
func (c *Config) atOnce() int {
	if c.Rounds.AtOnce > 0 {
		return c.Rounds.AtOnce
	}
	return perWorker * c.Vision.Workers
}

func (t TURN) on() bool { return t.UDP != "" || t.TCP != "" || t.TLS != "" }

func defaults() Config {
	return Config{
		Listen:  "127.0.0.1:8080",
		Data:    "data",
		Spool:   Spool{Reserve: spool.DefaultReserve},
		Upload:  Upload{Workers: ingest.DefaultUploadWorkers},
		Objects: Objects{Kind: "directory", Region: "us-east-1", Bucket: "wardwatch"},
		Vision:  Vision{Workers: 1, FacesInMemory: facesearch.DefaultMost},
		WebRTC:  WebRTC{Loopback: true},
		Rounds:  Rounds{Resume: rounds.DefaultResume, RetentionDays: ward.DefaultRetentionDays},
		Live:    Live{Transcodes: 2},
		Cameras: Cameras{PerDevice: ingest.DefaultPerDevice},
		Cases:   Cases{Number: ward.DefaultCaseNumbers},
		Draws:   Draws{Relays: []string{"https://api.drand.sh", "https://api2.drand.sh", "https://drand.cloudflare.com"}, Chain: Chain(drand.Quicknet())},
	}
}

func (c *Config) check(path string) error {
	if c.Objects.Kind != "directory" && c.Objects.Kind != "s3" {
		return badConfig(path, `objects.kind 只能是 directory 或 s3`, `objects.kind must be "directory" or "s3"`)
	}
	if c.Objects.Kind == "s3" && (c.Objects.Endpoint == "" || c.Objects.AccessKey == "" || c.Objects.SecretKey == "") {
		return badConfig(path, `objects.kind 为 s3 时必须给出 endpoint、access_key、secret_key`, `with objects.kind s3, give endpoint, access_key and secret_key`)
	}
	if c.Vision.Workers < 0 || c.Vision.Workers > 64 {
		return badConfig(path, `vision.workers 应在 0 到 64 之间`, `vision.workers must be 0 to 64`)
	}
	if c.Vision.FacesInMemory < 1000 {
		return badConfig(path, `vision.faces_in_memory 至少 1000`, `vision.faces_in_memory must be 1000 or more`)
	}
	if c.Live.Transcodes < 0 || c.Live.Transcodes > 64 {
		return badConfig(path, `live.transcodes 应在 0 到 64 之间`, `live.transcodes must be 0 to 64`)
	}
	if c.Spool.Limit < 0 || c.Spool.Reserve < minReserve {
		return badConfig(path, `spool.limit 不能为负，spool.reserve 至少 16MB`, `spool.limit must not be negative, and spool.reserve must be 16MB or more`)
	}
	if c.Upload.MbitS < 0 || c.Upload.Workers < 1 || c.Upload.Workers > 64 {
		return badConfig(path, `upload.mbit_s 不能为负，upload.workers 应在 1 到 64 之间`, `upload.mbit_s must not be negative, and upload.workers must be 1 to 64`)
	}
	if _, err := prefixes(c.Proxies); err != nil {
		return badConfig(path, `proxies 应为网段，例如 10.1.0.5/32`, `proxies must be networks such as 10.1.0.5/32`)
	}
	if _, err := guardOf(c.Cameras.Networks); err != nil {
		return badConfig(path, `cameras.networks 应为网段，例如 10.1.0.0/16`, `cameras.networks must be networks such as 10.1.0.0/16`)
	}
	if _, err := guardOf(c.Notify.Networks); err != nil {
		return badConfig(path, `notify.networks 应为网段，例如 10.1.0.0/16`, `notify.networks must be networks such as 10.1.0.0/16`)
	}
	if m := c.mailServer(nil); m.Check() != nil {
		return badConfig(path, `notify.smtp.address 应为 主机:端口，notify.smtp.from 应为邮箱地址`, `notify.smtp.address must be host:port, and notify.smtp.from an e-mail address`)
	}
	if c.Cameras.PerDevice < 1 || c.Cameras.PerDevice > 100000 {
		return badConfig(path, `cameras.per_device 应在 1 到 100000 之间`, `cameras.per_device must be 1 to 100000`)
	}
	if c.WebRTC.TURN.on() && c.WebRTC.UDPPort == 0 {
		return badConfig(path, `webrtc.turn 只转发到 webrtc.udp_port，请给出该端口`, `webrtc.turn relays to webrtc.udp_port only: give that port`)
	}
	if t := c.WebRTC.TURN; t.TLS != "" && (t.Certificate == "" || t.Key == "") {
		return badConfig(path, `webrtc.turn.tls 需要 certificate 和 key`, `webrtc.turn.tls needs certificate and key`)
	}
	if c.Rounds.Resume < 10*time.Second || c.Rounds.Resume > 5*time.Minute {
		return badConfig(path, `rounds.resume 应在 10s 到 5m 之间`, `rounds.resume must be 10s to 5m`)
	}
	if err := c.Rounds.Authority.check(path); err != nil {
		return err
	}
	if c.Rounds.AtOnce < 0 || c.Rounds.AtOnce > 200 {
		return badConfig(path, `rounds.at_once 应在 0 到 200 之间`, `rounds.at_once must be 0 to 200`)
	}
	if c.Rounds.RetentionDays < 1 || c.Rounds.RetentionDays > ward.MaxRetentionDays {
		return badConfig(path, `rounds.retention_days 应在 1 到 3650 之间`, `rounds.retention_days must be 1 to 3650`)
	}
	if !c.Draws.check() {
		return badConfig(path, `draws.relays 应为 https 地址；draws.chain 的哈希须与其余各项相符`, `draws.relays must be https addresses, and the hash of draws.chain that of its other keys`)
	}
	if _, err := ward.ParseCaseNumbers(c.Cases.Number); err != nil {
		return badConfig(path, `cases.number 应包含一次 {n:位数}（1 至 9 位）和至多一次 {year}，并有其他文字，如 `+ward.DefaultCaseNumbers, `cases.number must have {n:DIGITS} once (1 to 9) and {year} at most once, and other text, such as `+ward.DefaultCaseNumbers)
	}
	if _, err := c.Ledger.peers(); err != nil {
		return badConfig(path, `ledger.witnesses 每项应为 “网址 密钥”，密钥即 wardwatch witness 启动时打印的一行：`+err.Error(), `each of ledger.witnesses is "URL KEY", the key as wardwatch witness prints it when it starts: `+err.Error())
	}
	if _, err := c.Ledger.Timestamps.authority(); err != nil {
		return badConfig(path, `ledger.timestamps.url 应为 https 地址，certificates 应为其根证书的 PEM 文件：`+err.Error(), `ledger.timestamps.url must be an https address, and certificates the PEM file of its root certificates: `+err.Error())
	}
	if !c.HL7.check() {
		return badConfig(path, `hl7.senders 每项应为 “网段 发送机构 机构编号”，启用 hl7.listen 时至少一项；certificate 与 key 须同时给出，client_ca 须有 certificate`, `each of hl7.senders is "NETWORK FACILITY INSTITUTION", with one at least where hl7.listen is set; certificate and key come together, and client_ca with a certificate`)
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Data, "catalogue.db")
	}
	if c.Vision.Path == "" {
		if exe, err := os.Executable(); err == nil {
			c.Vision.Path = filepath.Join(filepath.Dir(exe), "wardwatch-vision")
		}
	}
	return nil
}

// reachedAt is public_url, or else the address that l listens on, as a
// browser on this machine types it.
func (c *Config) reachedAt(l net.Addr) string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(l.String())
	if ip := net.ParseIP(host); err == nil && (ip == nil || ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
