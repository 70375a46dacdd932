package verify

import (
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Made counts how the recordings of a package were made, by their sealed
// records: what the server's clock followed, and whether the camera signed.
// Recordings of earlier versions do not tell.
type Made struct {
	Synced, Unsynced, SyncUnknown int
	Error                         time.Duration // how far off the server's clock may have been at most
	ONVIF, Axis, Unsigned, Unseen int           // with which signatures of the camera itself; nobody verified them
}

func (m *Made) add(g sealed.Segment) {
	switch g.Sync {
	case ward.Synced:
		m.Synced++
	case ward.Unsynced:
		m.Unsynced++
	case ward.SyncUnknown:
		m.SyncUnknown++
	}
	m.Error = max(m.Error, time.Duration(g.ClockErrorUS)*time.Microsecond)
	switch g.Signature {
	case ward.SignatureONVIF:
		m.ONVIF++
	case ward.SignatureAxis:
		m.Axis++
	case ward.SignatureNone:
		m.Unsigned++
	case ward.SignatureUnseen:
		m.Unseen++
	}
}

func (m *Made) print(line func(format string, a ...any)) {
	if m.Synced+m.Unsynced > 0 {
		line("录像时的服务器时钟 server clock: 已与时间源同步 followed a time source: %d 个录像文件 recordings；未同步 did not: %d；未知 unknown: %d；误差不超过 off by at most %.1f 秒 s", m.Synced, m.Unsynced, m.SyncUnknown, m.Error.Seconds())
	}
	if m.ONVIF+m.Axis+m.Unsigned > 0 {
		line("摄像头自身签名 camera's own signatures: ONVIF %d，Axis %d，无 none %d，未查 not looked for %d；未核验 not verified here", m.ONVIF, m.Axis, m.Unsigned, m.Unseen)
	}
}
