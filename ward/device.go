package ward

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// DeviceSource says who says what a camera is.
type DeviceSource string

// The sources of a CameraDevice.
const (
	DeviceByHand   DeviceSource = "hand"   // written down by an administrator, from the camera's label
	DeviceByCamera DeviceSource = "camera" // told by the camera itself (ONVIF GetDeviceInformation)
)

// CameraDevice is a version of what a camera is, as a thing. It is told from
// At on; what was there before, nobody says.
type CameraDevice struct {
	CameraID     CameraID     `json:"camera"`
	Version      int          `json:"version"` // from 1
	Manufacturer string       `json:"manufacturer"`
	Model        string       `json:"model"`
	Firmware     string       `json:"firmware"`
	Serial       string       `json:"serial"`
	Source       DeviceSource `json:"source"`
	By           UserID       `json:"by"` // who wrote it down, or let the camera be asked
	At           time.Time    `json:"at"`
	Leaf         int64        `json:"leaf,omitempty"` // index in the ledger
}

// MaxDeviceText bounds each text of a CameraDevice, in characters.
const MaxDeviceText = 128

// Check refuses texts that are too long or hold control characters, and a
// device of which nothing is said: ward.Invalid "device.text", "device.empty".
func (d CameraDevice) Check() error {
	all := []string{d.Manufacturer, d.Model, d.Firmware, d.Serial}
	for _, s := range all {
		if utf8.RuneCountInString(s) > MaxDeviceText || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			return &Error{Kind: Invalid, Code: "device.text", ZH: "厂商、型号、固件版本和序列号各最长 128 个字，不含换行等控制字符。", EN: "Manufacturer, model, firmware and serial number have at most 128 characters each, without line breaks."}
		}
	}
	if strings.TrimSpace(strings.Join(all, "")) == "" {
		return &Error{Kind: Invalid, Code: "device.empty", ZH: "请至少填写厂商、型号、固件版本、序列号中的一项。", EN: "Give at least one of manufacturer, model, firmware and serial number."}
	}
	return nil
}

// Says reports whether both say the same of the camera.
func (d CameraDevice) Says(o CameraDevice) bool {
	return d.Manufacturer == o.Manufacturer && d.Model == o.Model && d.Firmware == o.Firmware && d.Serial == o.Serial && d.Source == o.Source
}
