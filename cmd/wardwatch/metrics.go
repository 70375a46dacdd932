package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"wardwatch/analytics"
	"wardwatch/ingest"
	"wardwatch/ward"
)

// gauge reads one number of one camera at each scrape.
type gauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(ingest.CameraStats, ingest.CameraState) float64
}

// cameraMetrics tells how every camera does; the label is the camera's id,
// bounded by the camera table.
type cameraMetrics struct {
	fleet  *ingest.Fleet
	gauges []gauge
}

func newCameraMetrics(f *ingest.Fleet) *cameraMetrics {
	m := &cameraMetrics{fleet: f}
	add := func(name, help string, kind prometheus.ValueType, read func(ingest.CameraStats, ingest.CameraState) float64) {
		m.gauges = append(m.gauges, gauge{prometheus.NewDesc("wardwatch_camera_"+name, help, []string{"camera"}, nil), kind, read})
	}
	add("live", "1 while media come in.", prometheus.GaugeValue, func(_ ingest.CameraStats, s ingest.CameraState) float64 {
		if s.Condition == ingest.Live {
			return 1
		}
		return 0
	})
	add("packets_total", "RTP packets received.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Packets) })
	add("packets_lost_total", "RTP packets missing in the sequence.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Lost) })
	add("packets_garbage_total", "RTP packets that could not be decoded.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Garbage) })
	add("frames_total", "Pictures received.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Frames) })
	add("bytes_total", "Bytes of RTP payload received.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Bytes) })
	add("recorder_dropped_total", "Units that the recorder was too slow for.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Dropped) })
	add("sessions_ended_total", "RTSP sessions that ended.", prometheus.CounterValue, func(s ingest.CameraStats, _ ingest.CameraState) float64 { return float64(s.Reconnects) })
	return m
}

// Describe implements prometheus.Collector.
func (m *cameraMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, g := range m.gauges {
		out <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (m *cameraMetrics) Collect(out chan<- prometheus.Metric) {
	for id, stats := range m.fleet.Stats() {
		state := m.fleet.State(id)
		for _, g := range m.gauges {
			out <- prometheus.MustNewConstMetric(g.desc, g.kind, g.read(stats, state), string(id))
		}
	}
}

// measure makes the registry of this process; web adds its own.
func (s *service) measure() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCameraMetrics(s.fleet))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wardwatch_spool_bytes", Help: "Recordings that wait for the object store."},
		func() float64 { return float64(s.spool.Used()) }))
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wardwatch_live_transcodes", Help: "Cameras that are coded again for viewers now."},
		func() float64 { return float64(s.live.Transcodes.Running()) }))
	r.MustRegister(newStorageMetrics(s.keeper.State))
	return r
}

// measureVision adds what the workers did.
func measureVision(r *prometheus.Registry, l *analytics.Lookout, restarts func() uint64) {
	stats := l.Stats
	count := func(name, help string, read func() uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "wardwatch_" + name, Help: help}, func() float64 { return float64(read()) }))
	}
	count("pictures_looked_total", "Camera pictures analysed.", func() uint64 { return stats().Looked })
	count("pictures_glanced_total", "Of those, pictures looked at for faces only, between the others while somebody is at the counter.", func() uint64 { return stats().Glanced })
	count("pictures_behind_total", "Times the pictures up to the next key frame were given up: the vision workers do not keep up.", func() uint64 { return stats().Late })
	count("pictures_skipped_total", "Key frames not analysed: too soon, or a newer one had come.", func() uint64 { return stats().Dropped })
	count("pictures_failed_total", "Pictures that the vision worker refused.", func() uint64 { return stats().Failed })
	count("pictures_beside_total", "Key frames of main streams analysed beside a sub stream: whether the camera sees, and faces.", func() uint64 { return stats().Beside })
	count("sub_streams_given_up_total", "Times a sub stream could not be had, or was of no use for analysis.", func() uint64 { return stats().SubsGivenUp })
	gauge := func(labels prometheus.Labels, of func(analytics.Watching) bool) {
		opts := prometheus.GaugeOpts{Name: "wardwatch_cameras_watched", Help: "Cameras in whose main or sub stream people are looked for; sub_fault: why it is not the sub stream, where there is one.", ConstLabels: labels}
		r.MustRegister(prometheus.NewGaugeFunc(opts, func() float64 {
			n := 0
			for v, cameras := range l.WatchingAll() {
				if of(v) {
					n += cameras
				}
			}
			return float64(n)
		}))
	}
	gauge(prometheus.Labels{"stream": "sub", "sub_fault": ""}, func(v analytics.Watching) bool { return v.Sub })
	for _, f := range []ward.SubFault{ward.NoSubFault, ward.SubAway, ward.SubBusy, ward.SubKeyless, ward.SubSmall, ward.SubDiffers} {
		gauge(prometheus.Labels{"stream": "main", "sub_fault": string(f)}, func(v analytics.Watching) bool { return !v.Sub && v.Fault == f })
	}
	count("vision_restarts_total", "Vision workers that died or hung.", restarts)
}
