package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"wardwatch/ward"
	"wardwatch/web"
)

func (c client) stays(file string, apply bool) reply {
	c.t.Helper()
	return c.with("Content-Type", "application/octet-stream").do(http.MethodPost, fmt.Sprintf("/api/v1/admissions/import?institution_id=h-own&dry_run=%v", !apply), []byte(file))
}

const stayTable = "住院号,入院时间,病区,床号,主治医师,姓名,身份证号\r\nZY-1,2026-11-01 08:00,骨科,3,李医生,赵六,110101199303030033\r\nZY-2,2026-11-02,骨科,4,,钱七,\r\n"

// A table, messages and encounters: a dry run changes nothing, an import all,
// the same again nothing; the list masks whom nobody insured yet.
func TestImportStays(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(stayTable)
	must(t, err)
	way := map[string]string{"table": "csv", "mark": "csv", "GB18030": "csv", "HL7": "hl7", "FHIR": "fhir"}
	for name, file := range map[string]string{
		"table": stayTable, "mark": "\ufeff" + stayTable, "GB18030": gb,
		"HL7":  "MSH|^~\\&|HIS|H|||20261101080000||ADT^A01|1|P|2.4||||||UNICODE UTF-8\rPID|||110101199303030033^^^^NNCHN||赵六\rPV1||I|骨科^^3||||^李医生||||||||||||ZY-1\r" + "MSH|^~\\&|HIS|H|||20261101080000||ADT^A01|2|P|2.4||||||UNICODE UTF-8\rPID|||||钱七\rPV1||I|骨科^^4||||||||||||||||ZY-2\r",
		"FHIR": `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},"identifier":[{"value":"ZY-1"}],"period":{"start":"2026-11-01T08:00:00+08:00"},"participant":[{"type":[{"coding":[{"code":"ATND"}]}],"individual":{"display":"李医生"}}],"location":[{"location":{"reference":"#b"}}],"subject":{"reference":"#p"},"contained":[{"resourceType":"Location","id":"b","name":"3","physicalType":{"coding":[{"code":"bd"}]},"partOf":{"display":"骨科"}},{"resourceType":"Patient","id":"p","name":[{"text":"赵六"}],"identifier":[{"type":{"coding":[{"code":"NI"}]},"value":"110101199303030033"}]}]}` + "\n" + `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},"identifier":[{"value":"ZY-2"}],"period":{"start":"2026-11-02"},"location":[{"location":{"display":"骨科"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).serve()
			c := w.as(w.user(ward.Operator, "own"))
			looks := w.as(w.user(ward.Inspector, "own"))
			if r := into[web.StayReport](c.stays(file, false).want(200, "")); r.Begin != 2 || r.Errors != 0 || r.Applied || r.Rows[0].AdmissionID != "" ||
				len(r.Rows[0].Steps) != 1 || r.Rows[0].Steps[0].Ward != "骨科" || r.Rows[0].Steps[0].Bed != "3" && name != "FHIR" {
				t.Fatalf("dry run: %+v", r)
			}
			if r := into[web.StayReport](c.stays(file, true).want(200, "")); r.Begin != 2 || !r.Applied {
				t.Fatalf("%+v", r)
			}
			if r := into[web.StayReport](c.stays(file, true).want(200, "")); r.Again != 2 || r.Begin+r.Change != 0 {
				t.Fatalf("again: %+v", r)
			}
			page := looks.do(http.MethodGet, "/api/v1/admissions?ward=%E9%AA%A8%E7%A7%91", nil).want(200, "")
			list := into[web.Page[web.Admission]](page).Items
			if len(list) != 2 || strings.Contains(fmt.Sprint(list), "110101199303030033") || strings.Contains(fmt.Sprint(list), "赵六") {
				t.Fatalf("%+v", list)
			}
			for _, a := range list {
				if a.Bed == "3" && (a.Physician != "李医生" || a.Insured.Name != "赵*" || a.InsuredID != "") {
					t.Errorf("%+v", a)
				}
			}
			if got := into[web.RegisteredAdmission](looks.do(http.MethodGet, "/api/v1/admissions/"+string(list[0].ID), nil).want(200, "")); string(got.Way) != way[name] || got.State != ward.StayInHouse {
				t.Errorf("%+v", got)
			}
			if told := into[web.Page[web.ToldStep]](looks.do(http.MethodGet, "/api/v1/admissions/"+string(list[0].ID)+"/events", nil).want(200, "")).Items; len(told) != 1 || string(told[0].Way) != way[name] || told[0].Ward != "骨科" || told[0].Received.IsZero() {
				t.Errorf("told: %+v", told)
			}
			found := into[web.Page[web.RegisteredAdmission]](looks.do(http.MethodGet, "/api/v1/admission-register?find=ZY-1&enrolled=no&state=in_house", nil).want(200, "")).Items
			if len(found) != 1 || found[0].Bed != "3" || found[0].Insured.Name != "赵*" || string(found[0].Way) != way[name] {
				t.Errorf("by the hospital's number: %+v", found)
			}
			there := into[web.Page[web.Admission]](looks.do(http.MethodGet, "/api/v1/admissions?ward=%E9%AA%A8%E7%A7%91&at=2026-11-01T12:00:00%2B08:00", nil).want(200, "")).Items
			if name != "HL7" && len(there) != 1 || len(there) == 0 {
				t.Errorf("at noon of the first day: %+v", there)
			}
		})
	}
}

func TestImportOfStaysIsAllOrNothing(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Operator, "own"))
	r := into[web.StayReport](c.stays(stayTable+"ZY-3,gestern,,5,,,\r\n", true).want(200, ""))
	if r.Errors != 1 || r.Applied || r.Rows[2].Action != web.StayError || r.Rows[2].Line != 4 || len(r.Rows[2].Problems) != 2 {
		t.Errorf("%+v", r)
	}
	if all, err := w.store.Admissions(t.Context(), nil, "骨科"); err != nil || len(all) != 0 {
		t.Errorf("half of it was kept: %+v, %v", all, err)
	}
	c.stays("\n", true).want(422, "import.empty")
	c.stays("住院号,谁\nx,y\n", true).want(422, "import.columns")
	w.as(w.user(ward.Operator, "other")).stays(stayTable, true).want(422, "")
	w.as(w.user(ward.Inspector, "own")).stays(stayTable, true).want(403, "")
}
