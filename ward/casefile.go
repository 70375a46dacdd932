package ward

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CaseFile 案卷 is what a case is about and who works on it: a version, each
// sealed. The zero file has the version 0.
type CaseFile struct {
	CaseID   CaseID        `json:"case_id"`
	Version  int           `json:"version"`
	Subjects []CaseSubject `json:"subjects"`
	Cause    string        `json:"cause" maxLength:"200"` // 案由
	Basis    []string      `json:"basis"`                 // legal basis 法律依据
	Officers []CaseOfficer `json:"officers"`              // none yet, or two
	// Witnesses are who held the evidence when it was taken, or saw that; versions of before have none.
	Witnesses []CaseWitness `json:"witnesses,omitempty"`
	Deadline  time.Time     `json:"deadline,omitzero"`
	Links     []CaseLink    `json:"links"` // other cases, from this one's side
	Reason    string        `json:"reason" maxLength:"500"`
	By        UserID        `json:"by"`
	At        time.Time     `json:"at"`
	Leaf      int64         `json:"leaf"`
}

// SubjectKind says what a subject of a case is.
type SubjectKind string

// The kinds of subject. Ref is the id of the insured, physician or institution.
const (
	PersonSubject      SubjectKind = "person"
	PhysicianSubject   SubjectKind = "physician"
	InstitutionSubject SubjectKind = "institution"
)

// CaseSubject is whom a case is about.
type CaseSubject struct {
	Kind SubjectKind `json:"kind"`
	Ref  string      `json:"ref" minLength:"1" maxLength:"64"`
}

// Capacity says as what somebody signs for the taking of evidence.
type Capacity string

// The capacities.
const (
	CapacityHolder  Capacity = "holder"  // of the electronic data 持有人（提供人）
	CapacityWitness Capacity = "witness" // 见证人
)

// CaseWitness signed for the taking of a case's evidence, or did not, and why
// (法发〔2016〕22号 §14).
type CaseWitness struct {
	Capacity  Capacity `json:"capacity"`
	Name      string   `json:"name" minLength:"1" maxLength:"64"`
	Post      string   `json:"post,omitempty" maxLength:"128"`      // whom or what they work for, and as what
	Signature string   `json:"signature,omitempty" maxLength:"256"` // ref of the case's uploaded file with it; empty: there is none
	SHA256    string   `json:"sha256,omitempty" maxLength:"64"`     // of that file, in hex; filled in when it is stored
	Absent    string   `json:"absent,omitempty" maxLength:"200"`    // why there is no signature
}

// CaseOfficer 执法人员 is a user of the service who answers for the case.
type CaseOfficer struct {
	User        UserID `json:"user" minLength:"1" maxLength:"64"`
	Certificate string `json:"certificate" minLength:"1" maxLength:"64"` // number of the law-enforcement certificate
}

// CaseLink names another case and why it belongs together with this one.
type CaseLink struct {
	CaseID CaseID `json:"case_id" minLength:"1" maxLength:"64"`
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// The bounds of a CaseFile.
const (
	mostSubjects = 100
	mostBasis    = 20
	mostLinks    = 50

	mostWitnesses = 10
)

// whole says whether w tells who it is, and either of a signature or why there is none.
func (w CaseWitness) whole() bool {
	return (w.Capacity == CapacityHolder || w.Capacity == CapacityWitness) && filled(w.Name, 64) && utf8.RuneCountInString(w.Post) <= 128 &&
		(w.Signature == "") == filled(w.Absent, 200) && (w.Signature == "" || w.Absent == "")
}

// Check returns what is wrong with the file, as an Invalid.
func (f CaseFile) Check() error {
	bad := func(code, zh, en string) error {
		return &Error{Kind: Invalid, Code: "case_file." + code, ZH: zh, EN: en}
	}
	switch {
	case len(f.Subjects) > mostSubjects || len(f.Basis) > mostBasis || len(f.Links) > mostLinks:
		return bad("many", "当事人不超过 100 个，法律依据不超过 20 条，关联案件不超过 50 个。", "At most 100 subjects, 20 laws and 50 linked cases.")
	case utf8.RuneCountInString(f.Cause) > 200 || slices.ContainsFunc(f.Basis, func(b string) bool { return !filled(b, 500) }):
		return bad("text", "案由不超过 200 字；每条法律依据须为 1 至 500 字。", "The cause has at most 200 characters, each law 1 to 500.")
	case len(f.Officers) != 0 && len(f.Officers) != 2 || len(f.Officers) == 2 && f.Officers[0].User == f.Officers[1].User:
		return bad("officers", "执法人员须为两名不同的人员。", "A case has two officers, two different people.")
	case slices.ContainsFunc(f.Officers, func(o CaseOfficer) bool { return o.User == "" || !filled(o.Certificate, 64) }):
		return bad("certificate", "请填写每名执法人员的执法证号。", "Give the certificate number of each officer.")
	case len(f.Witnesses) > mostWitnesses || slices.ContainsFunc(f.Witnesses, func(w CaseWitness) bool { return !w.whole() }):
		return bad("witness", "持有人或见证人不超过 10 名，须填写姓名，并附其签名文件，或注明没有签名的原因（二者填其一）。", "At most 10 holders and witnesses, each with a name, and either the file with their signature or why there is none.")
	case slices.ContainsFunc(f.Links, func(l CaseLink) bool { return l.CaseID == f.CaseID || !filled(l.Reason, 200) }):
		return bad("link", "关联案件须为另一案件，并填写关联理由。", "A link names another case, and why.")
	case !filled(f.Reason, 500):
		return bad("reason", "请填写修改理由（不超过 500 字）。", "Say why the file is changed, in at most 500 characters.")
	}
	for i, s := range f.Subjects {
		if s.Kind != PersonSubject && s.Kind != PhysicianSubject && s.Kind != InstitutionSubject || s.Ref == "" || slices.Contains(f.Subjects[:i], s) {
			return bad("subject", "当事人须为参保人、医师或机构，且不重复。", "A subject is a person, a physician or an institution, named once.")
		}
	}
	for i, l := range f.Links {
		if slices.ContainsFunc(f.Links[:i], func(o CaseLink) bool { return o.CaseID == l.CaseID }) {
			return bad("link", "关联案件须为另一案件，并填写关联理由。", "A link names another case, once, and why.")
		}
	}
	return nil
}

// CaseNumbers is a pattern of case numbers.
type CaseNumbers struct {
	before, after string // of the counter; {year} stands in either
	digits        int
}

// DefaultCaseNumbers gives 医保稽〔2026〕000001号.
const DefaultCaseNumbers = "医保稽〔{year}〕{n:6}号"

// ParseCaseNumbers reads a pattern: text with {n:DIGITS} once, which counts
// from 1 with leading zeros (1 to 9 digits, more when they are used up), and
// {year} at most once, at which the counter begins anew.
func ParseCaseNumbers(pattern string) (CaseNumbers, error) {
	bad := &Error{Kind: Invalid, Code: "cases.number", ZH: "案号规则应包含一次 {n:位数}（1 至 9 位）和至多一次 {year}，如 " + DefaultCaseNumbers, EN: "A pattern of case numbers has {n:DIGITS} once (1 to 9) and {year} at most once, such as " + DefaultCaseNumbers}
	before, rest, ok := strings.Cut(pattern, "{n:")
	digits, after, ok2 := strings.Cut(rest, "}")
	n, err := strconv.Atoi(digits)
	if !ok || !ok2 || err != nil || n < 1 || n > 9 || len(digits) != 1 || utf8.RuneCountInString(pattern) > 50 {
		return CaseNumbers{}, bad
	}
	if fixed := strings.Replace(before+"\x00"+after, "{year}", "", 1); strings.ContainsAny(fixed, "{}%_\\") || strings.TrimSpace(fixed) == "\x00" {
		return CaseNumbers{}, bad
	}
	return CaseNumbers{before, after, n}, nil
}

// Around is what stands before and after the counter in a year.
func (c CaseNumbers) Around(year int) (before, after string) {
	y := strconv.Itoa(year)
	return strings.ReplaceAll(c.before, "{year}", y), strings.ReplaceAll(c.after, "{year}", y)
}

// Number is the n-th number of a year.
func (c CaseNumbers) Number(year, n int) string {
	before, after := c.Around(year)
	return fmt.Sprintf("%s%0*d%s", before, c.digits, n, after)
}

// Count is which of the year a number is; ok is false when it is of another pattern.
func (c CaseNumbers) Count(year int, number string) (n int, ok bool) {
	before, after := c.Around(year)
	digits, ok := strings.CutSuffix(strings.TrimPrefix(number, before), after)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && c.Number(year, n) == number
}
