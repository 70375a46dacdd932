package ingest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"wardwatch/ingest/onvif"
	"wardwatch/ward"
)

// identifyTotal bounds how long a camera may take to say what it is.
const identifyTotal = 8 * time.Second

// Identify asks the device of cam's main address what it is, by ONVIF over
// plain HTTP at port; the password goes there as a digest only. Errors are
// ward.Errors "device.…" that say what to do.
func (f *Fleet) Identify(ctx context.Context, cam ward.Camera, port int) (ward.CameraDevice, error) {
	if cam.PasswordLost {
		return ward.CameraDevice{}, ward.ErrPasswordLost()
	}
	u, err := url.Parse(cam.URL)
	if err != nil {
		return ward.CameraDevice{}, unidentified("address", wordsNoAddress, err)
	}
	ctx, cancel := context.WithTimeout(ctx, identifyTotal)
	defer cancel()
	c := onvif.Client{Dial: (&net.Dialer{Control: f.Guard.Control, Timeout: probeConnect}).DialContext, User: cam.User, Password: string(cam.Password)}
	said, err := c.Device(ctx, net.JoinHostPort(u.Hostname(), strconv.Itoa(port)))
	switch {
	case errors.Is(err, onvif.ErrAuth):
		return ward.CameraDevice{}, unidentified("auth", words{"摄像头不接受该用户名或密码（有的型号须另建 ONVIF 用户），请检查后重试，或按铭牌手工登记。", "The camera refuses the user or password (some need a user of their own for ONVIF): check them, or write down what its label says."}, err)
	case errors.Is(err, onvif.ErrAnswer):
		return ward.CameraDevice{}, unidentified("answer", words{"该端口回答的不是 ONVIF：请检查端口（常见 80、8000、8080）和摄像头的 ONVIF 开关，或按铭牌手工登记。", "What answers at this port is no ONVIF: check the port (often 80, 8000 or 8080) and whether ONVIF is switched on, or write down what the label says."}, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return ward.CameraDevice{}, unidentified("unreachable", words{"连接被拒绝：主机在，但端口 " + strconv.Itoa(port) + " 没有服务；请检查端口（常见 80、8000、8080）和摄像头的 ONVIF 开关，或按铭牌手工登记。", "Connection refused: the host is there, but nothing listens on port " + strconv.Itoa(port) + "; check the port (often 80, 8000 or 8080) and whether ONVIF is switched on, or write down what the label says."}, err)
	case err != nil:
		return ward.CameraDevice{}, unidentified("unreachable", wordsUnreached(err, strconv.Itoa(port)), err)
	}
	d := ward.CameraDevice{CameraID: cam.ID, Manufacturer: said.Manufacturer, Model: said.Model, Firmware: said.Firmware, Serial: said.Serial, Source: ward.DeviceByCamera}
	return d, d.Check()
}

func unidentified(code string, w words, err error) error {
	return &ward.Error{Kind: ward.Conflict, Code: "device." + code, ZH: w.zh, EN: w.en, Err: err}
}
