package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"wardwatch/rounds"
)

// Authority is whom the bedside's first page names. It is given whole or not at all.
type Authority struct {
	Name       string `koanf:"name"`
	Address    string `koanf:"address"`
	Telephone  string `koanf:"telephone"`
	Complaints string `koanf:"complaints"` // whom to complain to, and how
	LegalZH    string `koanf:"legal_zh"`   // the legal ground in both languages; empty: rounds.DefaultLegal
	LegalEN    string `koanf:"legal_en"`
}

// Most characters of a field, and of a legal ground: they are read on a phone.
const (
	mostOfField = 120
	mostOfLegal = 1000
)

// check says which field is missing or too long, and what it is for.
func (a Authority) check(path string) error {
	if a == (Authority{}) {
		return nil
	}
	for _, f := range []struct{ key, value, zh, en string }{
		{"name", a.Name, "机关全称，例如 某市医疗保障局", "the authority's full name"},
		{"address", a.Address, "办公地址", "its address"},
		{"telephone", a.Telephone, "咨询电话", "a telephone number for questions"},
		{"complaints", a.Complaints, "投诉举报的部门和方式，例如 基金监督科，电话 0000-12393", "whom to complain to, and how"},
	} {
		if n := utf8.RuneCountInString(strings.TrimSpace(f.value)); n == 0 || n > mostOfField {
			return badConfig(path, fmt.Sprintf("rounds.authority.%s 应为%s（1 到 %d 字）：床旁首页据此告知由谁处理个人信息；四项须同时给出，或全部不写", f.key, f.zh, mostOfField),
				fmt.Sprintf("rounds.authority.%s must be %s (1 to %d characters): the bedside's first page says who processes personal data; give name, address, telephone and complaints together, or none", f.key, f.en, mostOfField))
		}
	}
	zh, en := utf8.RuneCountInString(a.LegalZH), utf8.RuneCountInString(a.LegalEN)
	if (zh == 0) != (en == 0) || zh > mostOfLegal || en > mostOfLegal {
		return badConfig(path, fmt.Sprintf("rounds.authority.legal_zh 和 legal_en 须同时给出（各不超过 %d 字），或都不写", mostOfLegal),
			fmt.Sprintf("give rounds.authority.legal_zh and legal_en together, at most %d characters each, or neither", mostOfLegal))
	}
	return nil
}

// told is what the bedside's first page says of the authority.
func (a Authority) told(ctx context.Context, log *slog.Logger) (*rounds.Authority, rounds.Legal) {
	if a == (Authority{}) {
		log.WarnContext(ctx, "rounds.authority is not set: the bedside's first page does not name who processes personal data")
		return nil, rounds.Legal{}
	}
	t := strings.TrimSpace
	return &rounds.Authority{Name: t(a.Name), Address: t(a.Address), Telephone: t(a.Telephone), Complaints: t(a.Complaints)}, rounds.Legal{ZH: t(a.LegalZH), EN: t(a.LegalEN)}
}
