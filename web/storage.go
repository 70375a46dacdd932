package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// Storage says how the spool and the object store are.
type Storage struct {
	Spool  SpoolState    `json:"spool"`
	Store  ObjectsState  `json:"store"`
	Alarms []AlarmDetail `json:"alarms" doc:"What a person must know"`
}

// SpoolState is the recordings that wait on this machine.
type SpoolState struct {
	UsedBytes       int64      `json:"used_bytes"`
	LimitBytes      int64      `json:"limit_bytes" doc:"0: no limit but the disk's"`
	FreeBytes       int64      `json:"free_bytes" doc:"On the spool's disk"`
	ReserveBytes    int64      `json:"reserve_bytes" doc:"What stays free for the database"`
	WaitingSegments int64      `json:"waiting_segments"`
	WaitingBytes    int64      `json:"waiting_bytes"`
	OldestWaiting   *time.Time `json:"oldest_waiting,omitempty" doc:"Start of the oldest recording that waits; absent when none does"`
	InflowBytesS    float64    `json:"inflow_bytes_s" doc:"Recorded, over about the last minute"`
	OutflowBytesS   float64    `json:"outflow_bytes_s" doc:"Archived, over about the last minute"`
	HoursLeft       *float64   `json:"hours_left,omitempty" doc:"Until the spool is full as things go; absent while it does not fill"`
	Evicted         uint64     `json:"evicted" doc:"Recordings given up in a full spool since the process started"`
}

// ObjectsState is whether the object store takes recordings.
type ObjectsState struct {
	OK    bool      `json:"ok"`
	Since time.Time `json:"since"`
	Code  string    `json:"code,omitempty"`
}

// AlarmDetail is one alarm.
type AlarmDetail struct {
	Code  string    `json:"code"`
	Level string    `json:"level" enum:"warning,critical"`
	Since time.Time `json:"since"`
	ZH    string    `json:"zh"`
	EN    string    `json:"en"`
}

func (s *Server) storageRoutes(r *routes) {
	add(r, anyUser(), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/storage", OperationID: "storage",
		Summary: "Room for recordings, how long it lasts, and alarms", Tags: []string{"recordings"},
	}, s.storage)
	s.coverageRoutes(r)
}

func (s *Server) storage(context.Context, *struct{}) (*body[Storage], error) {
	if s.Keeper == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "storage.missing", ZH: "本服务不管理录像暂存。", EN: "This process keeps no recordings."}
	}
	return answer(storageOf(s.Keeper.State()), nil)
}

func storageOf(st ingest.StorageState) Storage {
	out := Storage{
		Spool: SpoolState{
			UsedBytes: st.Space.Used, LimitBytes: st.Space.Limit, FreeBytes: st.Space.Free, ReserveBytes: st.Space.Reserve,
			WaitingSegments: st.Waiting.Segments, WaitingBytes: st.Waiting.Bytes, InflowBytesS: st.Inflow, OutflowBytesS: st.Outflow, Evicted: st.Evicted,
		},
		Store:  ObjectsState{OK: st.Uploads.Down.IsZero(), Since: st.Uploads.Since.UTC()},
		Alarms: []AlarmDetail{},
	}
	if !st.Waiting.Oldest.IsZero() {
		out.Spool.OldestWaiting = &st.Waiting.Oldest
	}
	if hours, ok := st.HoursLeft(); ok {
		out.Spool.HoursLeft = &hours
	}
	if !out.Store.OK {
		out.Store.Code = st.StoreCode()
	}
	for _, a := range st.Alarms {
		out.Alarms = append(out.Alarms, AlarmDetail{a.Code, string(a.Level), a.Since.UTC(), a.ZH, a.EN})
	}
	return out
}
