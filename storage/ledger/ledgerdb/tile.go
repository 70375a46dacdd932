package ledgerdb

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/ward"
)

// tileHeight is that of C2SP tlog-tiles: 256 hashes a tile.
const tileHeight = 8

// Tile returns the hashes of one tile of the first size leaves, by its path
// in C2SP tlog-tiles ("tile/0/x001/234", "tile/1/000.p/17"): up to 256 hashes
// of 32 bytes. What no tree of that size has is a ward.Error NotFound. The
// leaves themselves ("tile/entries/…") are not published: who could watch
// them would see a surprise round being ordered.
func Tile(ctx context.Context, q Querier, path string, size int64) ([]byte, error) {
	t, ok := parseTile(path)
	if !ok || (t.N<<tileHeight+int64(t.W))<<(tileHeight*t.L) > size {
		return nil, &ward.Error{Kind: ward.NotFound, Code: "ledger.tile", ZH: "存证日志没有这一块。", EN: "The ledger has no such tile."}
	}
	b, err := tlog.ReadTileData(t, Reader(ctx, q))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}

// parseTile reads a path, of which every tile has exactly one. C2SP leaves
// out the height that x/mod writes after "tile/".
func parseTile(path string) (tlog.Tile, bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return tlog.Tile{}, false
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, rest))
	// Above level 5 a tile stands for 2^48 leaves and more.
	return t, err == nil && t.L >= 0 && t.L <= 5 && t.N < 1<<40>>(tileHeight*t.L)
}
