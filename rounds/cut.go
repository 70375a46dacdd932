package rounds

import (
	"context"
	"errors"
)

// cut is why a visit was cut off: a name for its events, and words.
type cut struct {
	cause  error
	name   string
	zh, en string
}

// cuts are all the reasons; the first that fits a cause counts, the last fits any.
func cuts() []cut {
	return []cut{
		{context.Canceled, "stopped", "系统停机，查访未完成。", "The service was stopped before the visit was finished."},
		{errLeft, "left", "床旁人员主动结束了通话，查访未完成。", "The bedside ended the call before the visit was finished."},
		{errClosed, "page_closed", "床旁页面被关闭，未在规定时间内重新打开。", "The bedside's page was closed and not opened again in time."},
		{errLocked, "screen_locked", "床旁设备锁屏或切换到其他应用过久，画面中断。", "The bedside's screen was locked, or another app was in front, for too long; no pictures came."},
		{errCamera, "camera_taken", "床旁设备的摄像头被电话或其他应用占用过久。", "A telephone call or another app held the bedside's camera for too long."},
		{errOften, "unstable", "连接中断次数过多，检测无法完成。", "The connection was lost too often for the checks to be finished."},
		{errFlood, "flood", "床旁设备发送数据过于频繁，已断开。", "The bedside device sent too many messages and was disconnected."},
		{errMalformed, "malformed", "床旁设备发送了无法识别的数据，已断开。", "The bedside device sent messages that cannot be read and was disconnected."},
		{errNoReceipt, "no_receipt", "床旁设备未确认指令。", "The bedside device did not acknowledge the commands."},
		{nil, "network_lost", "网络中断，未在规定时间内恢复，查访未完成。", "The network was lost and did not come back in time; the visit is not finished."},
	}
}

func cutBy(cause error) cut {
	all := cuts()
	for _, c := range all[:len(all)-1] {
		if errors.Is(cause, c.cause) {
			return c
		}
	}
	return all[len(all)-1]
}
