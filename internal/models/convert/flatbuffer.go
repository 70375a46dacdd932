package convert

import "encoding/binary"

// table is a position in a flatbuffer. Field i of a table is found through
// its vtable; an absent field has its default. Reading beyond the end
// panics; parseTFLite turns that into an error.
type table struct {
	b  []byte
	at int
}

func (t table) u32(at int) int { return int(binary.LittleEndian.Uint32(t.b[at:])) }

// field returns where field i is stored, or 0.
func (t table) field(i int) int {
	v := t.at - int(int32(t.u32(t.at)))
	o := 4 + 2*i
	if o >= int(binary.LittleEndian.Uint16(t.b[v:])) {
		return 0
	}
	off := int(binary.LittleEndian.Uint16(t.b[v+o:]))
	if off == 0 {
		return 0
	}
	return t.at + off
}

func (t table) i8(i, def int) int {
	if p := t.field(i); p != 0 {
		return int(int8(t.b[p]))
	}
	return def
}

func (t table) i32(i, def int) int {
	if p := t.field(i); p != 0 {
		return int(int32(t.u32(p)))
	}
	return def
}

// table follows field i; at is 0 when the field is absent.
func (t table) table(i int) table {
	if p := t.field(i); p != 0 {
		return table{t.b, p + t.u32(p)}
	}
	return table{}
}

// vector returns where the elements of field i begin and how many there are.
func (t table) vector(i int) (at, n int) {
	p := t.field(i)
	if p == 0 {
		return 0, 0
	}
	p += t.u32(p)
	return p + 4, t.u32(p)
}

func (t table) tables(i int) []table {
	at, n := t.vector(i)
	var ts []table
	for k := range n {
		p := at + 4*k
		ts = append(ts, table{t.b, p + t.u32(p)})
	}
	return ts
}

func (t table) ints(i int) []int {
	at, n := t.vector(i)
	var v []int
	for k := range n {
		v = append(v, int(int32(t.u32(at+4*k))))
	}
	return v
}

func (t table) bytes(i int) []byte {
	at, n := t.vector(i)
	return t.b[at : at+n]
}
