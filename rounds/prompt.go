package rounds

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	receiptTimeout = 5 * time.Second // then the command is sent again
	sendTries      = 3
)

// prompt is one command to the bedside. ID counts from 1 in a session.
type prompt struct {
	ID      int     `json:"id"`
	Command string  `json:"cmd"`
	ZH      string  `json:"zh,omitempty"`
	EN      string  `json:"en,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // time to obey
	Result  string  `json:"result,omitempty"`  // of done: always "thanks"
}

func lookStraight() prompt {
	return prompt{Command: "look_straight", ZH: "请正对镜头，保持不动", EN: "Look straight at the camera"}
}

// ask is the command of a challenge. The bedside speaks it aloud: who shuts the eyes cannot read.
func ask(c challenge) prompt {
	p := prompt{Seconds: turnLate.Seconds()}
	switch c {
	case turnLeft:
		p.Command, p.ZH, p.EN = "turn_left", "请向您的左侧转头", "Turn your head to your left"
	case turnRight:
		p.Command, p.ZH, p.EN = "turn_right", "请向您的右侧转头", "Turn your head to your right"
	case nodDown:
		p.Command, p.ZH, p.EN = "nod", "请低头，看向下方", "Lower your head and look down"
	case shutEyes:
		p.Command, p.ZH, p.EN = "shut_eyes", "请闭上眼睛，两秒后再睁开", "Shut your eyes, open them after two seconds"
	case openMouth:
		p.Command, p.ZH, p.EN = "open_mouth", "请张大嘴巴，保持一秒", "Open your mouth wide for a second"
	}
	return p
}

func say(zh, en string) prompt { return prompt{Command: "say", ZH: zh, EN: en} }

func showWardCode() prompt {
	return prompt{Command: "show_ward_code", ZH: "请将镜头对准病区平板上的二维码", EN: "Point the camera at the QR code on the ward's tablet", Seconds: codeWait.Seconds()}
}

func showBedCode() prompt {
	return prompt{Command: "show_bed_code", ZH: "请将患者腕带或床头卡上的条码靠近镜头", EN: "Hold the code of the wristband or bed card near the camera", Seconds: codeWait.Seconds()}
}

func watchScreen() prompt {
	return prompt{Command: "watch_screen", ZH: "请看着屏幕，屏幕会变换几次颜色", EN: "Look at the screen: it will change its colour a few times"}
}

func showColour(c colour) prompt {
	return prompt{Command: c.screen().command, ZH: "请看着屏幕，保持不动", EN: "Keep looking at the screen", Seconds: colourHeld.Seconds()}
}

func thanks() prompt {
	return prompt{Command: "done", Result: "thanks", ZH: "核验完成，谢谢您的配合。", EN: "That is all, thank you."}
}

// tell sends a command and returns when it was displayed. It is sent again
// when no receipt comes; after the third time the session is over. errOutage
// when the line is lost meanwhile.
func (s *session) tell(ctx context.Context, p prompt) (displayed time.Time, err error) {
	s.command++
	p.ID = s.command
	if s.played != nil {
		return s.played.tell(p)
	}
	displayed, err = s.send(ctx, p)
	return s.tape.told(displayed, err), err
}

func (s *session) send(ctx context.Context, p prompt) (displayed time.Time, err error) {
	b, err := json.Marshal(p)
	if err != nil {
		return displayed, err
	}
	for try := range sendTries {
		dc, err := s.channel()
		if err != nil {
			return displayed, err
		}
		if err := s.event(ctx, "command", map[string]any{"id": p.ID, "cmd": p.Command, "try": try + 1}); err != nil {
			return displayed, err
		}
		_ = dc.SendText(string(b)) // what cannot be sent gets no receipt
		shown, ok, err := s.receipt(ctx, p.ID)
		if err != nil {
			return displayed, err
		}
		if ok {
			return shown, s.event(ctx, "receipt", map[string]any{"id": p.ID})
		}
	}
	return displayed, errNoReceipt
}

func (s *session) receipt(ctx context.Context, id int) (at time.Time, ok bool, err error) {
	wait := time.NewTimer(receiptTimeout)
	defer wait.Stop()
	for {
		changed, up := s.down()
		if !up {
			return at, false, errOutage
		}
		select {
		case <-changed:
		case n := <-s.receipts:
			if n == id {
				return time.Now(), true, nil
			}
		case <-wait.C:
			return at, false, nil
		case <-ctx.Done():
			return at, false, context.Cause(ctx)
		}
	}
}

// event stores one step of the protocol.
func (s *session) event(ctx context.Context, kind string, body map[string]any) error {
	if s.played != nil {
		return s.played.event(kind, body)
	}
	return s.e.Store.AddVisitEvent(ctx, s.visit.ID, kind, time.Now(), body)
}

// channel is the data channel of the line, or errOutage.
func (s *session) channel() (*webrtc.DataChannel, error) {
	if _, up := s.down(); !up {
		return nil, errOutage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dc == nil {
		return nil, errOutage
	}
	return s.dc, nil
}
