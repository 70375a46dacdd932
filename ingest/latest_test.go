package ingest_test

import (
	"testing"

	"wardwatch/ingest"
)

func TestTheLatestAreKept(t *testing.T) {
	t.Parallel()
	var l ingest.Latest
	there := func(want string) {
		t.Helper()
		got := ""
		for _, key := range []string{"a", "b", "c", "d"} {
			if b, ok := l.Get(key); ok {
				got += key + string(b[:1])
			}
		}
		if got != want {
			t.Errorf("there are %s, want %s", got, want)
		}
	}
	l.Put("a", []byte("11111"), 10)
	l.Put("a", []byte("22222"), 10) // twice is once
	l.Put("b", []byte("33333"), 10)
	there("a1b3")
	l.Put("c", []byte("4"), 10)
	there("b3c4")
	l.Put("d", make([]byte, 11), 10)
	there("d\x00")
	l.Put("a", []byte("5"), 10)
	there("a5")
}
