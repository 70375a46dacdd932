package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence"
	"wardwatch/ward"
)

// A large file goes to the store as it comes, in a small part of its size of
// memory; one that ends too early is nothing's evidence.
func TestUploadsAreNotHeldInMemory(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	c, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "大文件"}, nil, w.By)
	if err != nil {
		t.Fatal(err)
	}
	k := clerk(w)
	file := func() io.Reader { return io.MultiReader(strings.NewReader("%PDF-1.7"), zeros{}) }
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	items, err := k.AddFile(ctx, c, "扫描件.pdf", io.LimitReader(file(), evidence.MaxUpload), evidence.MaxUpload, w.By)
	runtime.ReadMemStats(&after)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > evidence.MaxUpload/5 {
		t.Errorf("%d bytes were allocated for a file of %d", used, evidence.MaxUpload)
	}
	if info, err := w.Media.Objects.Stat(ctx, items[0].Ref); err != nil || info.Size != evidence.MaxUpload {
		t.Errorf("stored: %+v, %v", info, err)
	}
	for _, short := range []io.Reader{strings.NewReader("%PDF"), io.LimitReader(file(), 1<<20)} {
		if _, err := k.AddFile(ctx, c, "半截.pdf", short, 2<<20, w.By); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "upload.cut"}) {
			t.Errorf("cut short: %v", err)
		}
	}
	if items, err := w.Store.Evidence(ctx, c.ID); err != nil || len(items) != 1 {
		t.Errorf("the case holds %d items, %v", len(items), err)
	}
	if _, err := k.AddFile(ctx, c, "bill.pdf", bytes.NewReader(nil), 0, w.By); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "upload.size"}) {
		t.Errorf("empty: %v", err)
	}
}

// zeros is without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
