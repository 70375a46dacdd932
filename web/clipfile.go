package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"time"

	"wardwatch/ward"
)

const (
	// maxCutting clips are cut at once: each reads and writes at full speed.
	maxCutting = 4
	// maxClips are open at once: each holds space until it has been sent.
	maxClips = 32
	// clipWait is how long a request waits for either.
	clipWait = 10 * time.Second
)

// clipSlots bound what clips take of the machine; a slot is a place in a channel.
type clipSlots struct{ cutting, open chan struct{} }

func newClipSlots() clipSlots {
	return clipSlots{make(chan struct{}, maxCutting), make(chan struct{}, maxClips)}
}

// take takes a slot and returns what gives it back. After clipWait it is a
// Problem 503 with Retry-After.
func take(ctx context.Context, slots chan struct{}) (func(), error) {
	return takeOr(ctx, slots, newProblem(http.StatusServiceUnavailable, "clip.busy", "正在剪辑的录像太多，请稍后再试。", "Too many clips are being made; try again shortly."))
}

// takeOr is take with a Problem of its own.
func takeOr(ctx context.Context, slots chan struct{}, busy *Problem) (func(), error) {
	wait := time.NewTimer(clipWait)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		busy.retryAfter = clipWait
		return nil, busy
	}
}

// clipFile is an unlinked file: it lives until it is closed, as does its slot.
type clipFile struct {
	*os.File
	free func()
}

func (s *Server) openClip(ctx context.Context) (*clipFile, error) {
	free, err := take(ctx, s.clips.open)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.Temp, "clip-*.mp4")
	if err != nil {
		free()
		return nil, noSpace(fmt.Errorf("make clip file: %w", err))
	}
	c := &clipFile{f, free}
	if err = os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink clip file: %w", err), c.Close())
	}
	return c, nil
}

// Close closes the file and gives its slot back; it is called once.
func (c *clipFile) Close() error {
	defer c.free()
	return c.File.Close()
}

// noSpace says what to do about a full disk; other errors stay as they are.
func noSpace(err error) error {
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return &ward.Error{Kind: ward.Unavailable, Code: "clip.disk", ZH: "磁盘空间不足，无法剪辑录像，请联系管理员清理空间。", EN: "No disk space to cut the clip; ask an administrator to free some.", Err: err}
}
