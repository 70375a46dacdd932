// Genapi prints the OpenAPI document, from which the console's client is
// generated: go run ./web/genapi > web/openapi.json
package main

import (
	"fmt"
	"os"

	"wardwatch/web"
)

func main() {
	doc, err := web.Document()
	if err == nil {
		_, err = os.Stdout.Write(doc)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "genapi:", err)
		os.Exit(1)
	}
}
