package evidence_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
	"wardwatch/ward"
)

// exportVisit exports a case of the world's visit, in which two lines were
// written, and returns the path of its chat.
func exportVisit(t *testing.T, w *testcase.World) ([]byte, string) {
	t.Helper()
	c, err := clerk(w).OpenVisit(t.Context(), w.Visit, "查房", w.By)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := export(t, w, c.ID)
	return b, pack.ChatPath(w.Visit)
}

func chatOf(t *testing.T, body []byte) (c pack.Chat) {
	t.Helper()
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatWasWrittenInAVisitIsInItsPackage(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		b, name := exportVisit(t, w)
		c := chatOf(t, unpack(t, b)[name])
		if len(c.Lines) != 2 || c.Lines[0].By != w.By.ID || c.Lines[1].By != "" {
			t.Fatalf("got %+v", c)
		}
		for i, want := range []string{"请看镜头", "听不见 <b>"} {
			var body struct{ Salt, Text string }
			if err := json.Unmarshal([]byte(c.Lines[i].Body), &body); err != nil || body.Text != want || len(body.Salt) != 32 || hexSum([]byte(c.Lines[i].Body)) != c.Lines[i].SHA256 {
				t.Errorf("line %d: %+v, %v", i, c.Lines[i], err)
			}
		}
		r := verified(t, b, fingerprint(w))
		var out strings.Builder
		if err := verify.Print(&out, r); err != nil || r.Exit(false) != verify.ExitVerified || r.Lines != 2 || !strings.Contains(out.String(), "lines of text: 2") {
			t.Errorf("%v\n%s", err, out.String())
		}
	})
}

// Whoever changes the text repairs every hash that is not sealed: the chat's
// own, those of the manifest, SHA256SUMS. The protocol of the visit still tells.
func TestChangedTextIsRejectedAndNamed(t *testing.T) {
	w := testcase.SQLite(t)
	b, name := exportVisit(t, w)
	order, files, j := names(t, b), unpack(t, b), newJudge(t, verify.Trust{Fingerprint: fingerprint(w)})
	for what, change := range map[string]func(c *pack.Chat){
		"another text":    func(c *pack.Chat) { c.Lines[1].Body = strings.Replace(c.Lines[1].Body, "听不见", "听得见", 1) },
		"with its hash":   func(c *pack.Chat) { c.Lines[1].Body = "{}"; c.Lines[1].SHA256 = hexSum([]byte("{}")) },
		"another writer":  func(c *pack.Chat) { c.Lines[0].By = "" },
		"another time":    func(c *pack.Chat) { c.Lines[0].At = c.Lines[0].At.Add(1e9) },
		"a line less":     func(c *pack.Chat) { c.Lines = c.Lines[:1] },
		"a line twice":    func(c *pack.Chat) { c.Lines = append(c.Lines, c.Lines[1]) },
		"exchanged":       func(c *pack.Chat) { slices.Reverse(c.Lines) },
		"another visit's": func(c *pack.Chat) { c.Visit = "other" },
	} {
		c := chatOf(t, files[name])
		change(&c)
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		bad := maps.Clone(files)
		bad[name] = body
		bad["manifest.json"] = []byte(strings.ReplaceAll(string(files["manifest.json"]), hexSum(files[name]), hexSum(body)))
		r := j.of(t, what, forge(order, bad), false)
		if !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == name && strings.Contains(f.EN, "protocol") }) {
			t.Errorf("%s: %+v", what, r.Failures)
		}
	}
}

func TestTextThatIsGoneIsNamed(t *testing.T) {
	w := testcase.SQLite(t)
	if err := w.Store.EraseMessages(t.Context(), w.Start.AddDate(0, 0, 91)); err != nil {
		t.Fatal(err)
	}
	b, name := exportVisit(t, w)
	r := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)}).of(t, "erased", b, false)
	if !r.Authentic() || r.Exit(false) != verify.ExitIncomplete || len(r.Missing) != 2 || r.Missing[0].File != name || !strings.Contains(r.Missing[0].EN, "erased") || r.Lines != 0 {
		t.Errorf("got %+v", r)
	}
}

// A case holds the text as it holds the recording, and a visit without text says so.
func TestACaseHoldsTheText(t *testing.T) {
	w := testcase.SQLite(t)
	c, err := clerk(w).OpenVisit(t.Context(), w.Visit, "查房", w.By)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Store.EraseMessages(t.Context(), w.Start.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	b, _ := export(t, w, c.ID)
	if r := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)}).of(t, "held", b, false); r.Exit(false) != verify.ExitVerified || r.Lines != 2 {
		t.Errorf("got %+v", r)
	}
	silent := pack.Chat{Visit: w.Visit, Lines: pack.LinesOf([]ward.VisitEvent{{Kind: "consent"}})}
	if body, err := json.Marshal(silent); err != nil || !strings.HasSuffix(string(body), `"lines":[]}`) {
		t.Errorf("got %s, %v", body, err)
	}
}
