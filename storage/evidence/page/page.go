// Package page is verify.html, the verifier that is in every package: one file
// for any browser, with no server and no network. Its script does what package
// verify does, part by part in files of the same names.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"strings"
	"sync"
)

//go:embed *.js page.html page.css
var files embed.FS

// parts of the script, in order. What a user sees is in the last one.
var parts = []string{"bytes.js", "hash.js", "ed25519.js", "curve.js", "sm2.js", "form.js", "ledger.js", "manifest.js", "verify.js", "outside.js", "stamp.js", "chat.js", "records.js", "ui.js"}

// Script is the verifier without the page around it, for tests.
func Script() string {
	var b strings.Builder
	b.WriteString("'use strict'\n")
	for _, p := range parts[:len(parts)-1] {
		b.WriteString(text(p))
	}
	return b.String()
}

// HTML is the page. It is the same in every package that this version writes.
var HTML = sync.OnceValue(assemble)

func assemble() []byte {
	script, style := "\n"+Script()+text("ui.js"), "\n"+text("page.css")
	return []byte(strings.NewReplacer(
		"SCRIPT-HASH", allowed(script), "STYLE-HASH", allowed(style),
		"/*SCRIPT*/", script, "/*STYLE*/", style,
	).Replace(text("page.html")))
}

// allowed is how a Content-Security-Policy names an inline script or style.
func allowed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func text(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}
