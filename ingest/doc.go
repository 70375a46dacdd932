// Package ingest brings media in: RTSP sessions of cameras, live streams and
// their readers, the recorder, the uploader, live viewers over WHEP, and the
// reading back of recordings. A bedside's media enters as a Stream too and is
// recorded by the same Recorder.
//
// It must know nothing of what is seen in the pictures, of alerts, of rounds
// or of HTTP. It never alters the coded media: NAL units are recorded byte
// for byte.
package ingest
