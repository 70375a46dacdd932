package ward

import "encoding/binary"

// The cells that a picture is divided in for Measures.
const (
	GridWide  = 32
	GridHigh  = 18
	GridCells = GridWide * GridHigh
)

// Grid has a figure for each cell of a picture, row by row, each two bytes,
// little endian, in 1/256.
type Grid []byte

// NewGrid packs figures of 0 to 255; fewer or more than GridCells give nil.
func NewGrid(figures []float32) Grid {
	if len(figures) != GridCells {
		return nil
	}
	g := make(Grid, 0, 2*GridCells)
	for _, v := range figures {
		g = binary.LittleEndian.AppendUint16(g, uint16(min(max(v, 0), 255)*256+.5))
	}
	return g
}

// Whole says whether g has a figure for each cell.
func (g Grid) Whole() bool { return len(g) == 2*GridCells }

// Figures unpacks a whole grid.
func (g Grid) Figures() [GridCells]float32 {
	var out [GridCells]float32
	for i := range out {
		out[i] = float32(binary.LittleEndian.Uint16(g[2*i:])) / 256
	}
	return out
}

// Measures are small figures of one picture that tell whether its camera can
// see. They are of the picture scaled to 320x180 grey pixels, of 0 to 255.
type Measures struct {
	Dark   float32 `json:"dark"`   // share of pixels of at most DarkLevel
	Bright float32 `json:"bright"` // share of pixels of at least BrightLevel
	// Change is the mean difference of the pixels from those of the picture
	// before; -1 when there was none.
	Change float32 `json:"change"`
	Levels Grid    `json:"levels"` // mean grey level of each cell
	Detail Grid    `json:"detail"` // mean absolute Laplacian of each cell: how sharp it is
}

// What counts as dark and bright, in grey levels. Video keeps black at 16.
const (
	DarkLevel   = 24
	BrightLevel = 248
)
