package main

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as such or like 500GB.
type Size int64

// minReserve is the least reserve: a write-ahead log and a batch of ledger rows.
const minReserve = 16_000_000

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), int64(1)
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}} {
		if n, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(n), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || n*float64(unit) > 1<<60 {
		return fmt.Errorf("%q is no size", text)
	}
	*s = Size(n * float64(unit))
	return nil
}
