package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed console/i18n/zh.json console/i18n/en.json
var texts embed.FS

// Texts returns a function that gives the console's text of a key such as
// rule.face_mismatch, in Chinese and in English; an unknown key is its own text.
func Texts() (func(key string) (zh, en string), error) {
	zh, err := textsOf("console/i18n/zh.json")
	if err != nil {
		return nil, err
	}
	en, err := textsOf("console/i18n/en.json")
	if err != nil {
		return nil, err
	}
	return func(key string) (string, string) { return text(zh, key), text(en, key) }, nil
}

func textsOf(name string) (map[string]any, error) {
	b, err := texts.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return tree, nil
}

func text(tree map[string]any, key string) string {
	for at, rest := any(tree), key; ; {
		part, more, deeper := strings.Cut(rest, ".")
		branch, ok := at.(map[string]any)
		if !ok {
			return key
		}
		at, rest = branch[part], more
		if !deeper {
			if s, ok := at.(string); ok {
				return s
			}
			return key
		}
	}
}
