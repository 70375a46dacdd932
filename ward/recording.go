package ward

import (
	"fmt"
	"time"
)

// SourceKind says what a recording is of.
type SourceKind string

// The kinds of Source.
const (
	FromCamera SourceKind = "camera"
	FromVisit  SourceKind = "visit" // the bedside's side of a ward-round call
)

// Source is whatever is recorded: a camera or a visit.
type Source struct {
	Kind SourceKind `json:"kind"`
	ID   string     `json:"id"` // a CameraID or a VisitID
}

// String is "camera/cam-1": usable in logs and as a spool folder.
func (s Source) String() string { return string(s.Kind) + "/" + s.ID }

// Clock says whose clock dated a recording.
type Clock string

// The clocks. The camera's is trusted only after its first RTCP sender
// report; both are stored as an offset.
const (
	ServerClock Clock = "server"
	CameraClock Clock = "camera"
)

// Origin says how a recording came here.
type Origin string

// The origins.
const (
	FromStream Origin = ""     // as it happened
	FromDevice Origin = "card" // afterwards, from what the device itself had stored: it fills a gap, and the gap stays noted
)

// ClockSync says whether the server's clock followed a time source.
type ClockSync string

// The states of the server's clock.
const (
	SyncUnknown ClockSync = "" // the system did not tell
	Synced      ClockSync = "synced"
	Unsynced    ClockSync = "unsynced" // it ran by itself, by the kernel's own account
)

// CameraSignature says whose signatures a video carries, if any: those that
// the camera made of its own pictures. Nobody here verifies them.
type CameraSignature string

// The forms of signature that are told apart.
const (
	SignatureUnseen CameraSignature = "" // nobody looked, or the codec has no place for one
	SignatureNone   CameraSignature = "none"
	SignatureONVIF  CameraSignature = "onvif" // ONVIF Media Signing
	SignatureAxis   CameraSignature = "axis"  // Axis Signed Video
)

// SegmentState is the state of a Segment: spooled → archived → deleting →
// deleted, or spooled → evicted. The row and its leaf stay for ever.
type SegmentState string

// The states of a Segment.
const (
	Spooled  SegmentState = "spooled"  // the file is in the spool, the row and ledger leaf are committed
	Archived SegmentState = "archived" // the object store has it and its checksum was re-read
	Deleting SegmentState = "deleting" // retention planned its deletion, in the ledger; the object may be there still
	Deleted  SegmentState = "deleted"  // retention removed the object and looked that it is gone
	Evicted  SegmentState = "evicted"  // removed from a full spool before the object store had it: a gap with cause evicted
)

// Readable says whether a recording's bytes are still there to be read.
func (s SegmentState) Readable() bool { return s == Spooled || s == Archived }

// Chunk is a place in a segment's file where playing can begin: the fragment
// that begins with a key frame. It lasts until the next one, or the end.
type Chunk struct {
	At     time.Duration // decode time of its first picture, from the segment's first picture on
	Offset int64         // in the file, of the fragment's first box, in bytes
}

// Segment is a finished stretch of recording: one fMP4 file, one object.
type Segment struct {
	ID            SegmentID     `json:"id"`
	Source        Source        `json:"source"`
	InstitutionID InstitutionID `json:"institution_id"`
	Seq           int64         `json:"seq"`              // per source, from 1, without holes
	Start         time.Time     `json:"start"`            // server clock, arrival of the first frame
	End           time.Time     `json:"end"`              // server clock, arrival of the last frame + its duration
	Media         time.Duration `json:"media_ns"`         // sum of the video frames' durations
	Clock         Clock         `json:"clock"`            // camera: CameraOffset is known
	CameraOffset  time.Duration `json:"camera_offset_ns"` // camera clock minus server clock
	Codec         Codec         `json:"codec"`            // of the video
	Bytes         int64         `json:"bytes"`
	SHA256        [32]byte      `json:"-"`
	Key           string        `json:"key"` // in the object store
	State         SegmentState  `json:"state"`
	Repaired      bool          `json:"repaired"`        // a torn tail was cut off after a crash
	Leaf          int64         `json:"leaf"`            // index in the ledger
	Audio         Codec         `json:"audio,omitempty"` // as the camera sent it
	Origin        Origin        `json:"origin,omitempty"`
	// Life and Mono place Start on a clock that nobody can set: the process's
	// life, and the monotonic time since that life began. Empty when it was
	// recorded outside of one.
	Life string        `json:"life,omitempty"`
	Mono time.Duration `json:"mono_ns,omitempty"`
	// Sync is the state of the server's clock, the worse of those at Start and
	// End; ClockError how far off it was at most, by the kernel's account.
	Sync       ClockSync       `json:"sync,omitempty"`
	ClockError time.Duration   `json:"clock_error_ns,omitempty"`
	Signature  CameraSignature `json:"signature,omitempty"`
	// KeepUntil is when the retention that was in force at Start ends. Zero: kept until somebody decides.
	KeepUntil time.Time `json:"keep_until,omitzero"`
	Chunks    []Chunk   `json:"-"` // by At; the first one's Offset is the length of the init segment
}

// SegmentKey is the object key of a segment; it holds no personal data:
// v1/{institution}/{source}/{yyyy}/{mm}/{dd}/{hh}/{start}-{seq}.mp4, UTC.
func SegmentKey(inst InstitutionID, src Source, start time.Time, seq int64) string {
	u := start.UTC()
	return fmt.Sprintf("v1/%s/%s/%s/%s-%06d.mp4", inst, src.ID, u.Format("2006/01/02/15"), u.Format("20060102T150405.000Z"), seq)
}

// Cause says why a stretch was not recorded.
type Cause string

// The causes of a Gap. The list is closed.
const (
	CauseConnecting  Cause = "connecting"  // not yet connected after the start
	CauseUnreachable Cause = "unreachable" // name not found, refused, timed out, connection lost
	CauseAuth        Cause = "auth"        // 401 or 403
	CauseNotFound    Cause = "not_found"   // 404: no such stream
	CauseCodec       Cause = "codec"       // no video track that can be recorded
	CauseStalled     Cause = "stalled"     // connected, and no media came
	CauseGarbage     Cause = "garbage"     // media came that cannot be decoded from RTP
	CauseLoss        Cause = "loss"        // packets lost, frames incomplete
	CauseSlow        Cause = "slow"        // our own recorder fell behind and dropped frames
	CauseDisk        Cause = "disk"        // the spool could not be written
	CauseRestart     Cause = "restart"     // Wardwatch was stopped
	CauseCrash       Cause = "crash"       // Wardwatch died
	CauseDisabled    Cause = "disabled"    // switched off by an operator
	CauseSchedule    Cause = "schedule"    // outside the hours that are to be recorded
	CauseBusy        Cause = "busy"        // the device already has as many connections as it may have
	CauseClock       Cause = "clock"       // the server's clock was set forward: what was recorded then has earlier dates
	CauseEvicted     Cause = "evicted"     // recorded, and removed from a full spool before it was archived
)

// Gap is a stretch that should have been recorded and was not.
type Gap struct {
	ID            GapID         `json:"id"`
	Source        Source        `json:"source"`
	InstitutionID InstitutionID `json:"institution_id"`
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to,omitzero"` // absent while it lasts
	Cause         Cause         `json:"cause"`
}

// RecordingEventKind says what happened while a source was recorded.
type RecordingEventKind string

// The kinds of RecordingEvent. The list is closed.
const (
	ClockJump     RecordingEventKind = "clock_jump"     // the server's or the source's clock was set, or its media time jumped
	Drift         RecordingEventKind = "drift"          // media time and server time of a segment differ
	ParamsChanged RecordingEventKind = "params_changed" // new parameter sets: a new segment
	SenderChanged RecordingEventKind = "sender_changed" // another SSRC or payload type in the same session
	OverTCP       RecordingEventKind = "over_tcp"       // no media over UDP: TCP is used
	AudioDropped  RecordingEventKind = "audio_dropped"  // the sound cannot be recorded; the pictures are
	Backfilled    RecordingEventKind = "backfilled"     // a gap was filled with what the device had stored; Off is how much
	NotBackfilled RecordingEventKind = "not_backfilled" // the device gave nothing for a gap, many times
)

// RecordingEvent is something worth knowing of a recording that is no gap.
type RecordingEvent struct {
	Source        Source             `json:"source"`
	InstitutionID InstitutionID      `json:"institution_id"`
	At            time.Time          `json:"at"` // server clock
	Kind          RecordingEventKind `json:"kind"`
	Off           time.Duration      `json:"off_ns,omitempty"` // ClockJump, Drift: by how much; positive: the source's clock leads
	Detail        string             `json:"detail,omitempty"` // English, for engineers: codec, payload type
}

// Hold keeps a stretch of a source for a case: what it touches is neither
// evicted from the spool nor deleted when its retention ends.
type Hold struct {
	ID            HoldID        `json:"id"`
	Source        Source        `json:"source"`
	InstitutionID InstitutionID `json:"institution_id"`
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`
	CaseID        CaseID        `json:"case_id"`
	Placed        time.Time     `json:"placed"`
	PlacedBy      UserID        `json:"placed_by"`
	Leaf          int64         `json:"-"` // in the ledger
	Release       ReleaseID     `json:"-"` // that ended it, confirmed; empty while it holds
}
