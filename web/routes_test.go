package web_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wardwatch/web"
)

func TestHandlerWithoutPolicyDoesNotRegister(t *testing.T) {
	for name, f := range map[string]func(*web.Server) error{
		"zero policy": web.RouteWithoutPolicy, "past the registry": web.RoutePastTheRegistry,
	} {
		if err := f(&web.Server{}); err == nil || !strings.Contains(err.Error(), "/naked") {
			t.Errorf("%s: got %v, want an error that names the route", name, err)
		}
	}
	if _, err := (&web.Server{}).Handler(); err != nil {
		t.Errorf("the real routes: %v", err)
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	want, err := web.Document()
	must(t, err)
	got, err := os.ReadFile("openapi.json")
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("openapi.json is stale: go run ./web/genapi > web/openapi.json")
	}
}

// TestEnumsAreComplete compares the table of closed lists with the constants
// of package ward: a value missing in the table would be refused on input.
func TestEnumsAreComplete(t *testing.T) {
	table := map[string][]string{}
	for typ, values := range web.Enums {
		for _, v := range values {
			table[typ.Name()] = append(table[typ.Name()], reflect.ValueOf(v).String())
		}
	}
	files, err := filepath.Glob("../ward/*.go")
	must(t, err)
	declared := map[string][]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || v.Type == nil || len(v.Values) != 1 {
				return true
			}
			typ, ok := v.Type.(*ast.Ident)
			lit, isLit := v.Values[0].(*ast.BasicLit)
			if ok && isLit && lit.Kind == token.STRING {
				s, err := strconv.Unquote(lit.Value)
				must(t, err)
				declared[typ.Name] = append(declared[typ.Name], s)
			}
			return true
		})
	}
	delete(declared, "Kind")  // of errors; the API shows codes
	delete(declared, "Match") // never leaves the server
	delete(declared, "FaceFault")
	delete(declared, "SettlementChange")
	for _, typ := range []string{"OTPHash", "CodeResult", "Whereabouts", "ExportState"} { // judged, never told by name
		delete(declared, typ)
	}
	for typ, want := range declared {
		got := table[typ]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the table has %q, package ward %q", typ, got, want)
		}
	}
}
