package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

// words is a sentence for people.
type words struct{ zh, en string }

var (
	wordsNoAddress = words{"地址无法解析，应为 rtsp://主机:端口/路径。", "The address cannot be parsed; it looks like rtsp://host:port/path."}
	wordsGuarded   = words{"该地址不在允许接入摄像头的网络内（见配置项 cameras.networks）。", "No camera may be at this address (see the configuration's cameras.networks)."}
	wordsGarbage   = words{"收到数据，但不是能解码的画面：编码参数可能有误，或线路损坏严重。", "Data come, but no pictures that can be decoded: the encoder may be set wrongly, or the line is bad."}
	wordsBroken    = words{"连接在取画面时中断：摄像头断开了，或网络不稳。", "The connection broke while pictures were read: the camera hung up, or the network is unstable."}
	wordsNotRTSP   = words{"对方回答的不是 RTSP：请检查端口和协议（rtsp:// 还是 rtsps://）。", "What answers is no RTSP: check the port and the scheme (rtsp:// or rtsps://)."}
	wordsTransport = words{"摄像头不支持所选的传输方式（461）：请换成自动、TCP 或 UDP 再试。", "The camera does not support this transport (461): try auto, TCP or UDP."}
	wordsHungUp    = words{"连上后对方不回答就断开：端口可能不是 RTSP，或连接数已满。", "It hung up without an answer: this may be no RTSP port, or the camera has too many connections."}
)

// wordsUnreached says why there is no connection.
func wordsUnreached(err error, port string) words {
	var timeout net.Error
	switch {
	case errors.Is(err, ErrGuarded):
		return wordsGuarded
	case errors.Is(err, syscall.ECONNREFUSED):
		return words{"连接被拒绝：主机在，但端口 " + port + " 没有服务；请检查端口和摄像头的 RTSP 开关。", "Connection refused: the host is there, but nothing listens on port " + port + "; check the port, and whether RTSP is switched on."}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return words{"没有通往该地址的路由：请检查网段和网关。", "There is no route to this address: check the network and its gateway."}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return words{
			fmt.Sprintf("连接超时：%.0f 秒内没有任何回应；请检查地址、供电、网线和防火墙。", probeConnect.Seconds()),
			fmt.Sprintf("Timed out: nothing answered in %.0f s; check the address, power, cable and firewall.", probeConnect.Seconds()),
		}
	}
	return words{"连不上该地址：请检查地址和网络。", "Cannot connect: check the address and the network."}
}

// wordsUntrusted says why the TLS handshake failed.
func wordsUntrusted(err error) words {
	if e, ok := errors.AsType[*UntrustedError](err); ok {
		if errors.Is(err, errOtherCertificate) {
			return words{"证书与所填指纹不符，没有发送密码。摄像头出示的指纹是 " + e.Fingerprint + "；确认设备换过证书后再改。", "The certificate is not the one of the fingerprint; no password was sent. The camera shows " + e.Fingerprint + "; change it only if the device got a new certificate."}
		}
		return words{"证书不受信任（摄像头多为自签），没有发送密码。核对设备后，可把指纹 " + e.Fingerprint + " 填入“证书指纹”。", "The certificate is not trusted (most cameras sign their own); no password was sent. Once you have checked the device, pin its fingerprint " + e.Fingerprint + "."}
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return words{"对方没有使用加密：地址也许应为 rtsp://。", "The other side does not encrypt: perhaps the address should begin with rtsp://."}
	}
	return words{"加密握手失败：摄像头的 TLS 版本过旧，或端口不对。", "The TLS handshake failed: the camera's TLS is too old, or the port is wrong."}
}

// wordsRefused says why the camera gives no stream.
func wordsRefused(err error, cam ward.Camera) words {
	none := &NoVideoError{}
	status := &rtsp.StatusError{}
	var netErr net.Error
	switch {
	case errors.Is(err, ErrGuarded):
		return wordsGuarded
	case errors.Is(err, rtsp.ErrElsewhere):
		return words{"摄像头要求转到另一个地址，出于安全不予跟随；请直接填写那个地址。", "The camera redirects to another address, which is not followed; store that address instead."}
	case errors.Is(err, errBusy):
		return words{"本系统与该设备的连接数已达上限，请稍后再试。", "This system has as many connections to the device as it may have; try later."}
	case errors.As(err, &none):
		return wordsNoVideo(none)
	case errors.Is(err, rtsp.ErrTransport):
		return wordsTransport
	case errors.As(err, &status):
		return wordsStatus(status.Code, cam)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return words{
			fmt.Sprintf("已连上，但 %.0f 秒内没有回答 RTSP 请求：端口可能不对，或摄像头繁忙。", probeAnswer.Seconds()),
			fmt.Sprintf("Connected, but no answer to RTSP in %.0f s: the port may be wrong, or the camera is busy.", probeAnswer.Seconds()),
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), causeOf(err) == ward.CauseUnreachable:
		return wordsHungUp
	}
	return wordsNotRTSP
}

func wordsStatus(code base.StatusCode, cam ward.Camera) words {
	switch code { //nolint:exhaustive // the rest is alike
	case base.StatusUnauthorized:
		if cam.User == "" && cam.Password == "" {
			return words{"需要用户名和密码（401），请填写。", "The camera asks for a user and password (401); give them."}
		}
		return words{"用户名或密码不对（401）。多次失败可能锁定账号，请先核对。", "Wrong user or password (401). Several failures may lock the account: check them first."}
	case base.StatusForbidden:
		return words{"该用户无权取流（403）：请在摄像头上给此用户预览权限，或检查 IP 白名单。", "This user may not watch (403): give it the right on the camera, or check the camera's address list."}
	case base.StatusNotFound:
		return words{"没有这个码流（404）：主机和密码没有问题，请检查地址的路径部分（通道号、码流号）。", "No such stream (404): the host is right; check the path (channel and stream number)."}
	case base.StatusNotEnoughBandwidth:
		return words{"摄像头的连接数已满（453）：请关闭其他取流程序。", "The camera has no connection to spare (453): close other viewers."}
	case base.StatusUnsupportedTransport:
		return wordsTransport
	}
	return words{fmt.Sprintf("摄像头拒绝了请求，状态码 %d。", code), fmt.Sprintf("The camera refused with status %d.", code)}
}

// NoVideoError is the error of a camera that offers no video that can be
// recorded: Video lists the codecs it offers, and is empty when it has none.
type NoVideoError struct{ Video []string }

func (e *NoVideoError) Error() string {
	return "no video that can be recorded among [" + strings.Join(e.Video, " ") + "]"
}

func wordsNoVideo(e *NoVideoError) words {
	if len(e.Video) == 0 {
		return words{"该地址没有视频，只有声音或数据。", "There is no video at this address, only sound or data."}
	}
	list := strings.Join(e.Video, ", ")
	return words{"视频编码 " + list + " 不能录制：请在摄像头上改为 H.264 或 H.265。", "Video as " + list + " cannot be recorded: set the camera to H.264 or H.265."}
}

func wordsOffered(video, audio ward.Codec) words {
	if audio == ward.NoCodec {
		return words{"码流可用：视频 " + codecName(video) + "，无可录的声音。", "The stream is there: video " + codecName(video) + ", no sound that can be recorded."}
	}
	return words{"码流可用：视频 " + codecName(video) + "，声音 " + codecName(audio) + "。", "The stream is there: video " + codecName(video) + ", sound " + codecName(audio) + "."}
}

func codecName(c ward.Codec) string {
	switch c {
	case ward.H264:
		return "H.264"
	case ward.H265:
		return "H.265"
	case ward.PCMA, ward.PCMU:
		return "G.711 (" + string(c) + ")"
	case ward.VP8, ward.MJPEG, ward.AAC, ward.Opus, ward.NoCodec:
	}
	return strings.ToUpper(string(c))
}

func wordsNoKey(err error, waited time.Duration) words {
	if !waitedLong(err) && causeOf(err) != ward.CauseGarbage { // the session's own patience: packets, and no picture
		return wordsBroken
	}
	return words{
		fmt.Sprintf("%.0f 秒内没有关键帧：请在摄像头上把 I 帧间隔设为 2 秒左右。", waited.Seconds()),
		fmt.Sprintf("No key frame in %.0f s: set the camera's I-frame interval to about 2 s.", waited.Seconds()),
	}
}

func wordsMeasured(s ProbeStream) words {
	v := s.Video
	gopZH, gopEN := fmt.Sprintf("关键帧间隔 %.1f 秒", v.GOP), fmt.Sprintf("a key frame every %.1f s", v.GOP)
	if v.GOP == 0 {
		gopZH, gopEN = "关键帧间隔很长", "key frames are far apart"
	}
	w := words{
		fmt.Sprintf("%s %d×%d，%.1f 帧/秒，%.0f kbit/s，%s", codecName(v.Codec), v.Width, v.Height, v.FPS, v.Kbit, gopZH),
		fmt.Sprintf("%s %d×%d, %.1f fps, %.0f kbit/s, %s", codecName(v.Codec), v.Width, v.Height, v.FPS, v.Kbit, gopEN),
	}
	if v.Reordered {
		w.zh, w.en = w.zh+"，含 B 帧", w.en+", with B-frames"
	}
	return words{w.zh + "。", w.en + "."}
}
