package storage

import (
	"fmt"
	"strings"
)

// values are the rows of a VALUES list, whose columns both engines name
// column1 and so on.
type values struct {
	args  []any
	types []string
}

// add adds a row; types are those of its columns, which PostgreSQL must be told.
func (v *values) add(types string, args ...any) {
	v.args, v.types = append(v.args, args...), strings.Fields(types)
}

func (v *values) marks() string {
	var b strings.Builder
	for i := range v.args {
		switch k := i % len(v.types); {
		case i == 0:
			b.WriteString("(")
		case k == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "CAST($%d AS %s)", i+1, v.types[i%len(v.types)])
	}
	b.WriteString(")")
	return b.String()
}
