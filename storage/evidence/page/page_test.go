package page_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/crc32"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"wardwatch/internal/testpage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/page"
	"wardwatch/storage/sealed"
)

func TestHashes(t *testing.T) {
	p := testpage.Start(t)
	r := rand.NewChaCha8([32]byte{1})
	for _, n := range []int{0, 1, 3, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 1000, 100_000} {
		b := make([]byte, n)
		_, _ = r.Read(b)
		var got struct {
			SHA256, SM3, SHA512 string
			CRC32               uint32
		}
		if err := p.Do("sums", nil, b, &got); err != nil {
			t.Fatal(err)
		}
		one, two, three := sha256.Sum256(b), sm3.Sum(b), sha512.Sum512(b)
		if got.SHA256 != hex.EncodeToString(one[:]) || got.SM3 != hex.EncodeToString(two[:]) || got.SHA512 != hex.EncodeToString(three[:]) || got.CRC32 != crc32.ChecksumIEEE(b) {
			t.Errorf("%d bytes: %+v", n, got)
		}
	}
}

// Vectors of RFC 8032, 7.1; then what Go's implementation says of signatures
// that were tampered with, of points that are none, and of S beyond the order.
func TestEd25519(t *testing.T) {
	p := testpage.Start(t)
	signed := func(key, message, signature string) bool {
		var ok bool
		if err := p.Do("signed", map[string]string{"key": key, "message": message, "signature": signature}, nil, &ok); err != nil {
			t.Fatal(err)
		}
		return ok
	}
	for _, v := range [][3]string{
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	} {
		if !signed(v[0], v[1], v[2]) {
			t.Errorf("%v: refused", v)
		}
	}
	r := rand.NewChaCha8([32]byte{2})
	for i := range 150 {
		pub, key, err := ed25519.GenerateKey(r)
		if err != nil {
			t.Fatal(err)
		}
		message := make([]byte, i)
		_, _ = r.Read(message)
		sig := ed25519.Sign(key, message)
		switch i % 5 {
		case 1:
			sig[i%64] ^= 1 << (i % 8)
		case 2:
			pub[i%32] ^= 1 << (i % 8)
		case 3: // S + L is the same scalar
			carry := 0
			for k, v := range []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10} {
				carry += int(sig[32+k]) + int(v)
				sig[32+k] = byte(carry)
				carry >>= 8
			}
		case 4: // points of small order, and encodings that are no point
			copy(pub, append([]byte{byte(i / 5)}, make([]byte, 31)...))
		}
		want := ed25519.Verify(pub, message, sig)
		if got := signed(hex.EncodeToString(pub), hex.EncodeToString(message), hex.EncodeToString(sig)); got != want {
			t.Errorf("case %d: %v, Go says %v", i, got, want)
		}
		if (i%5 == 0) != want {
			t.Errorf("case %d: Go says %v", i, want)
		}
	}
}

// A field, or a kind of item, that package verify knows and the page does not
// would be rejected by the page in every package.
func TestThePageKnowsEveryField(t *testing.T) {
	var forms struct {
		Manifest, Custody any
		Kinds             []string
	}
	if err := testpage.Start(t).Do("forms", nil, nil, &forms); err != nil {
		t.Fatal(err)
	}
	same(t, "manifest", reflect.TypeFor[pack.Manifest](), forms.Manifest)
	same(t, "custody", reflect.TypeFor[sealed.Custody](), forms.Custody)
}

// same compares the fields of a Go type with a form of manifest.js.
func same(t *testing.T, at string, typ reflect.Type, form any) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		may, _ := form.(map[string]any)
		same(t, at, typ.Elem(), may["maybe"])
		return
	}
	switch want := form.(type) {
	case []any:
		if typ.Kind() != reflect.Slice {
			t.Errorf("%s is a list in the page, %v in Go", at, typ)
			return
		}
		same(t, at+"[]", typ.Elem(), want[0])
	case map[string]any:
		if want["time"] == true && typ.String() == "time.Time" {
			return
		}
		if typ.Kind() != reflect.Struct {
			t.Errorf("%s is an object in the page, %v in Go", at, typ)
			return
		}
		for _, field := range reflect.VisibleFields(typ) {
			if field.Anonymous { // its fields follow
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			sub, ok := want[name]
			if !ok {
				t.Errorf("%s.%s is not in manifest.js", at, name)
				continue
			}
			delete(want, name)
			same(t, at+"."+name, field.Type, sub)
		}
		for name := range want {
			t.Errorf("%s.%s is only in manifest.js", at, name)
		}
	case string:
		if typ.Kind() != reflect.String {
			t.Errorf("%s is text in the page, %v in Go", at, typ)
		}
	case float64:
		if !typ.ConvertibleTo(reflect.TypeFor[float64]()) {
			t.Errorf("%s is a number in the page, %v in Go", at, typ)
		}
	case bool:
		if typ.Kind() != reflect.Bool {
			t.Errorf("%s is a boolean in the page, %v in Go", at, typ)
		}
	default:
		t.Errorf("%s is not in manifest.js", at)
	}
}

// The page names no other file and no server, and no syntax younger than 2020.
func TestThePageStandsAlone(t *testing.T) {
	html := page.HTML()
	for _, bad := range []string{`(?i)<(script|link|img|iframe)[^>]*\s(src|href)`, `https?:`, `\bfetch\(|XMLHttpRequest|WebSocket|import\(`, `\?\?=|\|\|=|&&=|\.replaceAll\(|\.at\(|structuredClone|this\.#|\(\?<[=!]|replaceChildren|findLast|Object\.hasOwn\b`, `/\*(SCRIPT|STYLE)\*/|(SCRIPT|STYLE)-HASH`} {
		if m := regexp.MustCompile(bad).Find(html); m != nil {
			t.Errorf("the page has %q", m)
		}
	}
	if !bytes.Contains(html, []byte(`content="default-src 'none'; script-src 'sha256-`)) {
		t.Error("the page has no policy")
	}
	check := exec.CommandContext(t.Context(), "node", "--check", "-")
	check.Stdin = strings.NewReader(page.Script())
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
