// Package analytics turns pictures into sightings and settlements into
// verdicts: a Watcher per camera looks at its key frames through a vision
// session and a pure debouncer makes sightings of them; the Correlator
// compares each settlement with the sightings at its counter by pure rules
// and raises alerts.
//
// It must know nothing of HTTP, of ward rounds, or of how pixels are decoded
// (analytics/vision). Whatever fails here ends in "cannot tell", never in an
// accusation.
package analytics
