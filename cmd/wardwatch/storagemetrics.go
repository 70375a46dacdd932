package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"wardwatch/ingest"
)

// storageMetrics tell how the spool and the object store are, as of the
// keeper's last look.
type storageMetrics struct {
	state  func() ingest.StorageState
	values []storageValue
	hours  *prometheus.Desc
	alarm  *prometheus.Desc
}

type storageValue struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(ingest.StorageState) float64
}

func newStorageMetrics(state func() ingest.StorageState) *storageMetrics {
	m := &storageMetrics{
		state: state,
		hours: prometheus.NewDesc("wardwatch_spool_hours_left", "Until the spool is full as things go; absent while it does not fill.", nil, nil),
		alarm: prometheus.NewDesc("wardwatch_storage_alarm", "1 while the alarm lasts.", []string{"code", "level"}, nil),
	}
	add := func(name, help string, kind prometheus.ValueType, read func(ingest.StorageState) float64) {
		m.values = append(m.values, storageValue{prometheus.NewDesc("wardwatch_"+name, help, nil, nil), kind, read})
	}
	add("spool_room_bytes", "How much may still be recorded.", prometheus.GaugeValue, func(s ingest.StorageState) float64 { return float64(s.Space.Room()) })
	add("spool_free_bytes", "Free on the spool's disk.", prometheus.GaugeValue, func(s ingest.StorageState) float64 { return float64(s.Space.Free) })
	add("spool_waiting_segments", "Segments that wait for the object store.", prometheus.GaugeValue, func(s ingest.StorageState) float64 { return float64(s.Waiting.Segments) })
	add("spool_waiting_bytes", "Bytes of them.", prometheus.GaugeValue, func(s ingest.StorageState) float64 { return float64(s.Waiting.Bytes) })
	add("spool_written_bytes_total", "Bytes recorded.", prometheus.CounterValue, func(s ingest.StorageState) float64 { return float64(s.Space.Written) })
	add("spool_evicted_segments_total", "Segments given up in a full spool.", prometheus.CounterValue, func(s ingest.StorageState) float64 { return float64(s.Evicted) })
	add("upload_bytes_total", "Bytes archived.", prometheus.CounterValue, func(s ingest.StorageState) float64 { return float64(s.Uploads.Bytes) })
	add("upload_failures_total", "Uploads that failed.", prometheus.CounterValue, func(s ingest.StorageState) float64 { return float64(s.Uploads.Failures) })
	add("store_up", "1 while the object store takes recordings.", prometheus.GaugeValue, func(s ingest.StorageState) float64 {
		if s.Uploads.Down.IsZero() {
			return 1
		}
		return 0
	})
	return m
}

// Describe implements prometheus.Collector.
func (m *storageMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, v := range m.values {
		out <- v.desc
	}
	out <- m.hours
	out <- m.alarm
}

// Collect implements prometheus.Collector.
func (m *storageMetrics) Collect(out chan<- prometheus.Metric) {
	s := m.state()
	for _, v := range m.values {
		out <- prometheus.MustNewConstMetric(v.desc, v.kind, v.read(s))
	}
	if hours, ok := s.HoursLeft(); ok {
		out <- prometheus.MustNewConstMetric(m.hours, prometheus.GaugeValue, hours)
	}
	for _, a := range s.Alarms {
		out <- prometheus.MustNewConstMetric(m.alarm, prometheus.GaugeValue, 1, a.Code, string(a.Level))
	}
}
