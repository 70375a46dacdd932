package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web/paper"
)

// Letter is a letter of a case: what its last step says, and all steps.
type Letter struct {
	ward.LetterStep
	Steps []ward.LetterStep `json:"steps" doc:"The oldest first"`
}

// LetterStepTaken is a step of a letter.
type LetterStepTaken struct {
	Seen   int64             `json:"seen" minimum:"1" doc:"How many steps whoever takes it has seen"`
	Action ward.LetterAction `json:"action"`
	Words  *LetterText       `json:"words,omitempty" doc:"Of write"`
	Note   string            `json:"note,omitempty" maxLength:"500" doc:"How and to whom it was delivered, what was answered, why it is withdrawn"`
}

// LetterText is what can be changed of a draft.
type LetterText struct {
	Recipient string    `json:"recipient" minLength:"1" maxLength:"100"`
	Body      string    `json:"body" minLength:"1" maxLength:"5000"`
	RespondBy time.Time `json:"respond_by,omitzero"`
}

// LetterPath names a letter in the address.
type LetterPath struct {
	ID ward.LetterID `path:"id" maxLength:"64"`
}

type newLetter struct {
	CasePath
	Keyed
	RawBody []byte
	Body    ward.LetterWords
}

type letterProposal struct {
	CasePath
	Kind ward.LetterKind `query:"kind" required:"true"`
}

type letterStepInput struct {
	LetterPath
	Body LetterStepTaken
}

func (s *Server) letterRoutes(r *routes) {
	tags, may := []string{"letters"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/letters", OperationID: "listLetters", Summary: "A case's letters to the institution (三函)", Tags: tags}, s.loadCase, s.listLetters)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/letter-proposal", OperationID: "proposeLetter", Summary: "The words of a letter as they follow from the case", Tags: tags},
		func(ctx context.Context, in *letterProposal) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.proposeLetter)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/cases/{id}/letters", OperationID: "writeLetter", Summary: "Begin a letter as a draft", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *newLetter) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.writeLetter)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/letters/{id}/steps", OperationID: "stepLetter", Summary: "Change, issue, deliver, acknowledge or withdraw a letter", Tags: tags},
		func(ctx context.Context, in *letterStepInput) (ward.LetterStep, ward.InstitutionID, error) {
			steps, err := s.Store.Letter(ctx, in.ID)
			if err != nil {
				return ward.LetterStep{}, "", err
			}
			last := steps[len(steps)-1]
			_, inst, err := s.loadCase(ctx, &CasePath{last.CaseID})
			return last, inst, err
		}, s.stepLetter)
}

func letterOf(steps []ward.LetterStep) Letter {
	return Letter{LetterStep: steps[len(steps)-1], Steps: steps}
}

func (s *Server) listLetters(ctx context.Context, _ *CasePath, c ward.Case) (*body[Page[Letter]], error) {
	steps, err := s.Store.Letters(ctx, c.ID)
	var all []Letter
	for _, step := range steps {
		if n := len(all); n == 0 || all[n-1].ID != step.ID {
			all = append(all, Letter{})
		}
		last := &all[len(all)-1]
		*last = letterOf(append(last.Steps, step))
	}
	return items(all, err)
}

func (s *Server) writeLetter(ctx context.Context, in *newLetter, c ward.Case) (*created[Letter], error) {
	return once(ctx, s, "writeLetter/"+string(c.ID), in.Key, in.RawBody, func() (Letter, error) {
		words := in.Body
		words.RespondBy = words.RespondBy.UTC()
		steps, err := s.Store.StepLetter(ctx, storage.LetterChange{ID: ward.NewID[ward.LetterID](s.now()), CaseID: c.ID, Action: ward.LetterWrite, Words: words}, callerOf(ctx).User)
		if err != nil {
			return Letter{}, err
		}
		return letterOf(steps), nil
	})
}

func (s *Server) stepLetter(ctx context.Context, in *letterStepInput, now ward.LetterStep) (*body[Letter], error) {
	b, who := in.Body, callerOf(ctx).User
	if b.Action == ward.LetterIssue {
		steps, err := s.issueLetter(ctx, now, b.Seen, who)
		if err != nil {
			return nil, err
		}
		return answer(letterOf(steps), nil)
	}
	change := storage.LetterChange{ID: now.ID, CaseID: now.CaseID, Seen: b.Seen, Action: b.Action, Note: strings.TrimSpace(b.Note)}
	if b.Words != nil {
		change.Words = ward.LetterWords{Kind: now.Kind, Recipient: b.Words.Recipient, Body: b.Words.Body, RespondBy: b.Words.RespondBy.UTC()}
	}
	steps, err := s.Store.StepLetter(ctx, change, who)
	if err != nil {
		return nil, err
	}
	return answer(letterOf(steps), nil)
}

// issueLetter looks whether the step may be taken before a PDF is made of it.
func (s *Server) issueLetter(ctx context.Context, now ward.LetterStep, seen int64, who ward.User) ([]ward.LetterStep, error) {
	if s.Paper == nil {
		return nil, paper.ErrNoFont
	}
	steps, err := s.Store.Letter(ctx, now.ID)
	if err != nil {
		return nil, err
	}
	at := s.now()
	step, err := ward.StepLetter(steps, ward.LetterIssue, ward.LetterWords{}, who.ID, "", at)
	if err != nil {
		return nil, err
	}
	if step.Number, err = s.Store.NextLetterNumber(ctx, now.Kind, at); err != nil {
		return nil, err
	}
	c, err := s.Store.Case(ctx, now.CaseID)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := s.Paper.Print(&b, s.letter(c, step)); err != nil {
		return nil, err
	}
	return s.clerk().IssueLetter(ctx, c, now.ID, seen, step.Number, b.Bytes(), who)
}

// letter is the document of a letter; a draft says that it is one.
func (s *Server) letter(c ward.Case, v ward.LetterStep) paper.Document {
	number := v.Number
	if number == "" {
		number = "草稿，未签发"
	}
	var office string
	if s.Rounds != nil && s.Rounds.Authority != nil {
		office = s.Rounds.Authority.Name
	}
	blocks := []paper.Block{paper.Text{Text: v.Recipient + "："}}
	for line := range strings.SplitSeq(v.Body, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			blocks = append(blocks, paper.Text{Text: line, Indent: true})
		}
	}
	if !v.RespondBy.IsZero() {
		blocks = append(blocks, paper.Text{Text: "请于 " + v.RespondBy.In(beijing).Format("2006年1月2日") + " 前书面回复。", Indent: true})
	}
	if office != "" {
		blocks = append(blocks, paper.Text{Text: office, Right: true})
	}
	blocks = append(blocks, paper.Text{Text: v.At.In(beijing).Format("2006年1月2日"), Right: true}, paper.Text{Text: "案件号：" + c.Number}, paper.Signatures{"签收人"})
	return paper.Document{Title: inChinese("letterKind." + string(v.Kind)), Number: number, Office: office, Made: v.At, Blocks: blocks}
}

// proposeLetter writes what follows from the case; whoever drafts changes it.
func (s *Server) proposeLetter(ctx context.Context, in *letterProposal, c ward.Case) (*body[ward.LetterWords], error) {
	inst, err := s.Store.Institution(ctx, c.InstitutionID)
	if err != nil {
		return nil, err
	}
	f, err := s.Store.CaseFile(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	n, err := s.Store.EvidenceCount(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	about := c.Title
	if f.Cause != "" {
		about = f.Cause
	}
	basis := "《医疗保障基金使用监督管理条例》"
	if len(f.Basis) > 0 {
		basis = strings.Join(f.Basis, "、")
	}
	first := fmt.Sprintf("我单位在医疗保障基金使用监督检查中，发现你单位存在“%s”的情形（案件号 %s），已固定电子数据 %d 项。", about, c.Number, n)
	then := map[ward.LetterKind]string{
		ward.Reminder:  "依据" + basis + "，现提醒你单位立即核查相关情况，采取整改措施，并将核查和整改结果书面回复。",
		ward.Interview: "依据" + basis + "，决定对你单位进行约谈。请你单位主要负责人或其委托的负责人按通知的时间和地点到场，就上述情况作出说明，并携带有关资料。",
		ward.Audit:     "依据" + basis + "，决定对你单位开展稽核。请你单位配合，按要求提供病历、处方、费用清单、监控录像等有关资料，不得隐匿、销毁、篡改。",
	}[in.Kind]
	return answer(ward.LetterWords{Kind: in.Kind, Recipient: inst.Name, Body: first + "\n" + then, RespondBy: s.now().AddDate(0, 0, 10).UTC().Truncate(24 * time.Hour)}, nil)
}
