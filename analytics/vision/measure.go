package vision

import "wardwatch/ward"

// The size to which a picture is scaled before it is measured: ten pixels a
// cell either way.
const (
	MeasuredWide = 10 * ward.GridWide
	MeasuredHigh = 10 * ward.GridHigh
)

// Measure takes the measures of a picture of MeasuredWide x MeasuredHigh grey
// pixels; before is the one before it, or empty.
func Measure(grey, before []byte) ward.Measures {
	const w, h, cell = MeasuredWide, MeasuredHigh, 10
	m := ward.Measures{Change: -1}
	if len(grey) != w*h {
		return m
	}
	var levels, details [ward.GridCells]float32
	dark, bright := 0, 0
	for y := range h {
		row := grey[y*w : (y+1)*w]
		up, down := grey[max(y-1, 0)*w:], grey[min(y+1, h-1)*w:]
		for x, v := range row {
			i := y/cell*ward.GridWide + x/cell
			levels[i] += float32(v)
			if v <= ward.DarkLevel {
				dark++
			} else if v >= ward.BrightLevel {
				bright++
			}
			l := 4*int(v) - int(up[x]) - int(down[x]) - int(row[max(x-1, 0)]) - int(row[min(x+1, w-1)])
			details[i] += float32(max(l, -l))
		}
	}
	for i := range levels {
		levels[i] /= cell * cell
		details[i] /= cell * cell
	}
	m.Dark, m.Bright = float32(dark)/(w*h), float32(bright)/(w*h)
	m.Levels, m.Detail = ward.NewGrid(levels[:]), ward.NewGrid(details[:])
	if len(before) == len(grey) {
		sum := 0
		for i, v := range grey {
			d := int(v) - int(before[i])
			sum += max(d, -d)
		}
		m.Change = float32(sum) / (w * h)
	}
	return m
}
