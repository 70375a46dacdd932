package ward

import (
	"slices"
	"time"
)

// Role is what a user may do; see Allows.
type Role string

// The roles.
const (
	Administrator Role = "administrator" // everything, everywhere
	Inspector     Role = "inspector"     // 稽核员: alerts, rounds, cases in scope
	Operator      Role = "operator"      // cameras and places in scope; no personal data, no evidence
	Contact       Role = "contact"       // 机构联系人: what an institution is told, and its answer
	Recipient     Role = "recipient"     // 证据接收人: whom a package is handed to, by a link; no account
	Terminal      Role = "terminal"      // 窗口终端: a machine of one institution that asks who stands there; API tokens only
)

// User is a person who signs in. Institutions is the scope; AllInstitutions overrides it.
type User struct {
	ID              UserID          `json:"id"`
	Login           string          `json:"login"`
	Name            string          `json:"name"`
	Role            Role            `json:"role"`
	AllInstitutions bool            `json:"all_institutions"`
	Institutions    []InstitutionID `json:"institutions"`
	Disabled        bool            `json:"disabled"`
	Created         time.Time       `json:"created"`
}

// Permission is one thing a role may be allowed.
type Permission string

// The permissions.
const (
	MayWatch      Permission = "watch"      // live pictures and recordings of cameras
	MayManage     Permission = "manage"     // add and change cameras, places
	MaySettle     Permission = "settle"     // post settlements and admissions (the billing system's account)
	MayReview     Permission = "review"     // alerts, settlements, insured persons, clips
	MayRound      Permission = "round"      // order rounds, call, decide
	MayCase       Permission = "case"       // cases, evidence, export
	MayAppeal     Permission = "appeal"     // confirmed alerts as the institution is told of them, and appeals
	MayFlip       Permission = "flip"       // answer a draw's coin flip for the institution
	MayOutages    Permission = "outages"    // read which outages institutions reported
	MayReport     Permission = "report"     // report an outage in advance, and withdraw it
	MayIdentify   Permission = "identify"   // ask whether a person at a counter is the insured
	MayAdmit      Permission = "admit"      // enrol a patient's face at an admission
	MayTablets    Permission = "tablets"    // register, pair, try and revoke ward tablets
	MayAdminister Permission = "administer" // users, institutions, enrolment
)

// permissions is the whole policy; Administrator has all.
var permissions = map[Role][]Permission{
	Administrator: {MayWatch, MayManage, MaySettle, MayReview, MayRound, MayCase, MayAppeal, MayFlip, MayOutages, MayReport, MayIdentify, MayAdmit, MayTablets, MayAdminister},
	Inspector:     {MayWatch, MayReview, MayRound, MayCase, MayOutages, MayTablets},
	Operator:      {MayWatch, MayManage, MaySettle, MayAdmit, MayTablets},
	Contact:       {MayAppeal, MayFlip, MayOutages, MayReport},
	Terminal:      {MayIdentify},
}

// CheckScope returns what is wrong with the user's scope, as an Invalid: a
// terminal stands in exactly one institution.
func (u User) CheckScope() error {
	if u.Role == Recipient {
		return &Error{Kind: Invalid, Code: "user.recipient", ZH: "证据接收人没有账号，请在案件中生成移交链接。", EN: "A recipient has no account; make a link on the case."}
	}
	if u.Role == Terminal && (u.AllInstitutions || len(u.Institutions) != 1) {
		return &Error{Kind: Invalid, Code: "user.terminal", ZH: "终端账号必须且只能属于一家机构。", EN: "A terminal belongs to exactly one institution."}
	}
	return nil
}

// May says whether the user may do p to an object of institution inst; an
// empty inst means an object of no institution, which needs AllInstitutions.
func (u User) May(p Permission, inst InstitutionID) bool {
	return !u.Disabled && slices.Contains(permissions[u.Role], p) && u.Sees(inst)
}

// Can says whether the user's role has the permission at all; lists are
// then filtered by scope.
func (u User) Can(p Permission) bool {
	return !u.Disabled && slices.Contains(permissions[u.Role], p)
}

// Sees says whether inst is in the user's scope.
func (u User) Sees(inst InstitutionID) bool {
	return u.AllInstitutions || inst != "" && slices.Contains(u.Institutions, inst)
}
