package ingest

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much garbage may gather, in percent of what is in use. With
// Go's 100, a recorder of 100 cameras holds 0.9 MB a camera, with 50 it holds
// 0.7 to 0.8 and takes a fifth more processor time (bench, BenchmarkRecording).
const gcPercent = 50

// SaveMemory lets the process collect garbage sooner, unless the environment's
// GOGC says how. A process that records calls it once at its start.
func SaveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
