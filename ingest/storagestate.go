package ingest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// AlarmLevel says how bad an Alarm is.
type AlarmLevel string

// The levels.
const (
	Warning  AlarmLevel = "warning"  // recordings will be lost unless somebody acts
	Critical AlarmLevel = "critical" // they are being lost, or will be within hours
)

// Alarm is something about storage that a person must know.
type Alarm struct {
	Code  string     `json:"code"`
	Level AlarmLevel `json:"level"`
	Since time.Time  `json:"since"`
	ZH    string     `json:"zh"`
	EN    string     `json:"en"`
}

// The codes of alarms. A store that takes nothing has the code of its error
// instead ("objects.unreachable", "objects.full", "objects.denied").
const (
	AlarmForecast = "spool.forecast" // the spool will be full within a day
	AlarmFilling  = "spool.filling"  // the spool is nearly full
	AlarmEvicting = "spool.evicting" // recordings that nobody else has were given up
	AlarmFull     = "spool.full"     // nothing is left that may be given up: recording stops
	AlarmLost     = "spool.lost"     // recordings whose file is gone and that the store does not have

	AlarmClock = "retention.clock" // the clock is ahead: nothing is deleted
	AlarmKept  = "retention.kept"  // the store refuses to delete what is past its retention
	AlarmHolds = "holds.no_lock"   // the store cannot withhold what cases hold
)

const (
	// warnHours is how far ahead a full spool is announced: somebody is at
	// work once a day. criticalHours is the time to get somebody out of bed.
	warnHours, criticalHours = 24, 4
	// fillingShare and nearlyFullShare are how full a spool may be before it
	// is a warning, and critical, whatever the forecast says.
	fillingShare, nearlyFullShare = .8, .95
	// behindAfter is how long a segment may wait before uploads count as
	// being behind: until then the spool fills and drains as it should.
	behindAfter = 2 * time.Minute
	// evictedFor is how long after an eviction the alarm lasts.
	evictedFor = 10 * time.Minute
)

// StorageState is how the spool and the object store are.
type StorageState struct {
	Space   spool.Space
	Waiting storage.Waiting
	Uploads UploadStats
	// Inflow and Outflow are bytes a second, over about the last minute: what
	// is recorded, and what the object store took.
	Inflow, Outflow float64
	Evicted         uint64    // segments given up since the process started
	EvictedAt       time.Time // the last one
	Stuck           bool      // the spool is nearly full and nothing may be given up
	At              time.Time // of the measurement
	Retention       storage.RetentionState
	Holds           storage.HoldCount
	Alarms          []Alarm
}

// behind says whether uploads do not keep up, so that the spool fills.
func (s StorageState) behind() bool {
	return !s.Uploads.Down.IsZero() || !s.Waiting.Since.IsZero() && s.At.Sub(s.Waiting.Since) > behindAfter
}

// StoreCode is the code of the error for which the store takes nothing.
func (s StorageState) StoreCode() string {
	code, _, _ := explainStore(s.Uploads.Err)
	return code
}

// HoursLeft is how long the spool takes what comes in; ok is false while it
// does not fill.
func (s StorageState) HoursLeft() (hours float64, ok bool) {
	net := s.Inflow - s.Outflow
	if !s.behind() || net <= s.Inflow/100 {
		return 0, false
	}
	return math.Max(float64(s.Space.Room()), 0) / net / 3600, true
}

// alarms is what s gives reason for; Since is left zero.
func (s StorageState) alarms() []Alarm {
	var all []Alarm
	add := func(code string, level AlarmLevel, zh, en string) {
		all = append(all, Alarm{Code: code, Level: level, ZH: zh, EN: en})
	}
	hours, filling := s.HoursLeft()
	soon := Warning
	if filling && hours < criticalHours {
		soon = Critical
	}
	if !s.Uploads.Down.IsZero() {
		code, zh, en := explainStore(s.Uploads.Err)
		add(code, soon, zh, en)
	}
	if filling && hours < warnHours {
		add(AlarmForecast, soon, fmt.Sprintf("录像暂存空间预计 %s后用尽，届时最早的录像将被舍弃：请恢复存储上传或扩大磁盘。", spanZH(hours)),
			fmt.Sprintf("The spool will be full in %s, and the oldest recordings will then be given up: restore uploads to the object store, or add disk.", spanEN(hours)))
	}
	if capacity := s.Space.Capacity(); capacity > 0 && !s.Stuck {
		share, level := float64(s.Space.Used)/float64(capacity), Warning
		if share >= nearlyFullShare {
			level = Critical
		}
		if share >= fillingShare {
			add(AlarmFilling, level, fmt.Sprintf("录像暂存空间已用 %.0f%%。", 100*share), fmt.Sprintf("The spool is %.0f %% full.", 100*share))
		}
	}
	if !s.EvictedAt.IsZero() && s.At.Sub(s.EvictedAt) < evictedFor {
		add(AlarmEvicting, Critical, fmt.Sprintf("暂存空间已满，已舍弃 %d 段尚未归档的录像；时间轴和录像完整性中标为“暂存空间不足”。", s.Evicted),
			fmt.Sprintf("The spool was full: %d recordings that were not archived yet were given up (gaps with cause evicted).", s.Evicted))
	}
	if s.Stuck {
		add(AlarmFull, Critical, "暂存空间已满，且剩余录像均被案件冻结或正在录制：录像停止。请立即释放磁盘空间或恢复存储上传。",
			"The spool is full, and all that is left is held for cases or being recorded: recording stops. Free disk space or restore uploads now.")
	}
	if n := s.Uploads.Lost; n > 0 {
		add(AlarmLost, Critical, fmt.Sprintf("有 %d 段录像既不在暂存空间也不在存储中，文件可能已被删除：请从备份恢复文件到暂存目录，或运行 wardwatch fsck 查看清单。", n),
			fmt.Sprintf("%d recordings are neither in the spool nor in the object store; their files may have been deleted: put the files back into the spool from a backup, or see wardwatch fsck for a list.", n))
	}
	return append(all, s.keepingAlarms()...)
}

// keepingAlarms are those about what is kept, and should not be, or is not.
func (s StorageState) keepingAlarms() (all []Alarm) {
	if ahead := s.Retention.ClockAhead; ahead > 0 {
		all = append(all, Alarm{
			Code: AlarmClock, Level: Critical, ZH: fmt.Sprintf("系统时钟比预期快 %s，已暂停按期限删除：请核对服务器时间。", spanZH(ahead.Hours())),
			EN: fmt.Sprintf("The clock is %s ahead of what it should be, and retention deletes nothing: check this machine's time.", spanEN(ahead.Hours())),
		})
	}
	if n := s.Retention.Kept; n > 0 {
		all = append(all, Alarm{
			Code: AlarmKept, Level: Warning, ZH: fmt.Sprintf("存储拒绝删除 %d 个已过保存期限的文件（锁定或无权限），稍后重试。", n),
			EN: fmt.Sprintf("The object store refuses to delete %d files that are past their retention (locked, or not permitted); they are tried again.", n),
		})
	}
	if n := s.Holds.NoLock; n > 0 {
		all = append(all, Alarm{
			Code: AlarmHolds, Level: Warning,
			ZH: fmt.Sprintf("存储桶未启用对象锁定：案件冻结的 %d 个文件本系统不会删除，但存储管理员仍可删除。请新建启用对象锁定的存储桶并迁移文件。", n),
			EN: fmt.Sprintf("The bucket has no object lock: Wardwatch deletes none of the %d files that cases hold, an administrator of the store still can. Make a bucket with object lock and move the files there.", n),
		})
	}
	return all
}

// explainStore gives a store's error its code and words.
func explainStore(err error) (code, zh, en string) {
	if e, ok := errors.AsType[*ward.Error](err); ok {
		return e.Code, e.ZH, e.EN
	}
	return "objects.unreachable", "录像无法上传到存储。", "Recordings cannot be uploaded to the object store."
}

func spanZH(hours float64) string {
	if hours < 1 {
		return fmt.Sprintf("%.0f 分钟", hours*60)
	}
	return fmt.Sprintf("%.1f 小时", hours)
}

func spanEN(hours float64) string {
	if hours < 1 {
		return fmt.Sprintf("%.0f minutes", hours*60)
	}
	return fmt.Sprintf("%.1f hours", hours)
}

// carry gives the alarms in now that were in before their Since, and the
// others at.
func carry(before, now []Alarm, at time.Time) []Alarm {
	for i, a := range now {
		now[i].Since = at
		if j := slices.IndexFunc(before, func(b Alarm) bool { return b.Code == a.Code }); j >= 0 {
			now[i].Since = before[j].Since
		}
	}
	return now
}

// flow is a rate over about the last flowWindow.
type flow struct {
	last        uint64
	begun       bool
	sum, weight float64
}

// flowWindow evens out that a segment leaves the spool at once after it came
// in over a minute.
const flowWindow = time.Minute

// add takes a counter's value after dt and returns its growth a second.
func (f *flow) add(total uint64, dt time.Duration) float64 {
	if !f.begun {
		f.last, f.begun = total, true
		return 0
	}
	keep := math.Exp(-dt.Seconds() / flowWindow.Seconds())
	f.sum = f.sum*keep + float64(total-f.last)
	f.weight = f.weight*keep + dt.Seconds()
	f.last = total
	if f.weight == 0 {
		return 0
	}
	return f.sum / f.weight
}
