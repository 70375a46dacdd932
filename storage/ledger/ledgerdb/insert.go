package ledgerdb

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
)

// mostRows are inserted by one statement. A power of two.
const mostRows = 128

// Insert runs into ("INSERT INTO table (a, b)") for all rows of width cells
// that cells holds one after the other. A statement inserts a power of two
// of rows, so that few different ones have to be prepared.
func Insert(ctx context.Context, q Querier, into string, width int, cells []any) error {
	for len(cells) > 0 {
		rows := min(mostRows, 1<<(bits.Len(uint(len(cells)/width))-1))
		var text strings.Builder
		text.WriteString(into)
		for i := range rows * width {
			switch {
			case i == 0:
				text.WriteString(" VALUES (")
			case i%width == 0:
				text.WriteString("), (")
			default:
				text.WriteString(", ")
			}
			fmt.Fprintf(&text, "$%d", i+1)
		}
		text.WriteString(")")
		if _, err := q.ExecContext(ctx, text.String(), cells[:rows*width]...); err != nil {
			return err
		}
		cells = cells[rows*width:]
	}
	return nil
}
