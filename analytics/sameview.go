package analytics

import "wardwatch/ward"

const (
	// By so many grey levels a cell differs, when the mean difference of all
	// is taken off, and by so many cells two pictures do.
	otherCell  = 8
	otherCells = .08 // share; the demo clips beside their sub stream: 0, 0.3 s later .02 to .06, a part of the view .3 to .5
)

// sameView says whether two streams of a camera show the same at about the
// same moment: the cells are as light, but for a few where something moved.
// Another camera, another part of the view, and a picture that stands still
// while somebody comes, are not the same.
func sameView(a, b ward.Grid) bool {
	return a.Whole() && b.Whole() && differing(a, b) <= otherCells
}

// differing is the share of cells of two whole grids that are not as light,
// when the mean difference of all is taken off.
func differing(a, b ward.Grid) float64 {
	x, y := a.Figures(), b.Figures()
	var sum float32
	for i := range x {
		x[i] -= y[i]
		sum += x[i]
	}
	mean, other := sum/ward.GridCells, 0
	for _, d := range x {
		if d -= mean; d > otherCell || d < -otherCell {
			other++
		}
	}
	return float64(other) / ward.GridCells
}
