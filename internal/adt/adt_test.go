package adt_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"wardwatch/internal/adt"
	"wardwatch/ward"
)

// told is an ADT message, with CR after every segment.
func told(event, control, charset, rest string) string {
	return `MSH|^~\&|HIS|HOSP1|WW|CENTRE|20261101081500||ADT^` + event + "|" + control + "|P|2.4||||||" + charset + "\r" +
		"EVN|" + event + "|20261101081500\r" + strings.ReplaceAll(rest, "\n", "\r")
}

const patient = "PID|1||MR77^^^H^MR~110101199001011237^^^PSN^NNCHN||张^三\nPV1|1|I|内一科^三\\F\\病房^12||||D9^李^医生||||||||||||ZY001|||||||||||||||||||||||||20261101080000+0800\n"

func shanghai(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s+"+08:00")
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestHL7InEveryCharset(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(strings.Replace(told("A01", "C1", "GB 18030-2000", patient), "张^三", "镕^丂", 1)) // 丂 ends in @, 镕 past GB2312
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ raw, who string }{
		"UTF-8":   {told("A01", "C1", "UNICODE UTF-8", patient), "张三"},
		"unnamed": {told("A01", "C1", "", patient), "张三"},
		"GB18030": {gb, "镕丂"},
		"lines":   {strings.ReplaceAll(told("A01", "C1", "UNICODE UTF-8", patient), "\r", "\r\n"), "张三"},
	} {
		h, item := adt.HL7([]byte(c.raw))
		if h.ControlID != "C1" || h.Facility != "HOSP1" || len(item.Problems) > 0 || len(item.Events) != 1 {
			t.Fatalf("%s: %+v %+v", name, h, item)
		}
		e := item.Events[0]
		want := ward.AdmissionEvent{
			Kind: ward.AdmitEvent, Sender: "HIS|HOSP1", ControlID: "C1", Visit: "ZY001", Recorded: shanghai("2026-11-01T08:15:00"),
			At: shanghai("2026-11-01T08:00:00"), Precision: ward.ToTheSecond, Place: ward.BedPlace{Ward: "内一科", Room: "三|病房", Bed: "12"},
			Physician: "李医生", Person: ward.AdmittedPerson{Number: "110101199001011237", Local: "MR77", Name: c.who}, Began: shanghai("2026-11-01T08:00:00"),
		}
		if e.Kind != want.Kind || e.Visit != want.Visit || !e.At.Equal(want.At) || !e.Recorded.Equal(want.Recorded) || e.Place != want.Place || e.Physician != want.Physician || e.Person != want.Person || e.Sender != want.Sender || e.Precision != want.Precision {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestNumbersOfTheBand(t *testing.T) {
	account := strings.Replace(patient, "||张^三", "||张^三|||||||||||||ACC7^^^H^AN", 1)
	if _, item := adt.HL7([]byte(told("A01", "C1", "", account))); len(item.Problems) > 0 || !slices.Equal(item.Events[0].Numbers, []string{"ACC7"}) {
		t.Errorf("%+v", item)
	}
	if _, item := adt.HL7([]byte(told("A01", "C1", "", strings.Replace(account, "ACC7", strings.Repeat("9", 65), 1)))); len(item.Problems) != 1 || item.Problems[0].Field != "PID-18" {
		t.Errorf("a long one: %+v", item.Problems)
	}
	more := strings.Replace(encounter, `{"value":"ZY9"}`, `{"value":"ZY9"},{"value":"ACC9"},{"value":"ZY9"},{"use":"old","value":"ACC1"}`, 1)
	if items := adt.FHIR([]byte(more + "\n" + others)); len(items) != 1 || len(items[0].Problems) > 0 || !slices.Equal(items[0].Events[0].Numbers, []string{"ACC9"}) {
		t.Errorf("%+v", items)
	}
}

func TestHL7SaysWhatIsWrongAndNotWhatStoodThere(t *testing.T) {
	const secret = "110101199001011237"
	good := told("A01", "C1", "UNICODE UTF-8", patient)
	for name, c := range map[string]struct{ raw, field, code string }{
		"no MSH":      {"PID|1||" + secret, "MSH", "AE"},
		"charset":     {told("A01", "C1", "BIG-5", patient), "MSH-18", "AE"},
		"wrong bytes": {told("A01", "C1", "", "PID|1||\xff\xfe"), "MSH-18", "AE"},
		"ascii":       {told("A01", "C1", "ASCII", patient), "MSH-18", "AE"},
		"separators":  {strings.Replace(good, `|^~\&|`, `|^^\&|`, 1), "MSH-2", "AE"},
		"merge":       {told("A40", "C1", "", patient), "MSH-9", "AR"},
		"other event": {told("A05", "C1", "", patient), "MSH-9", "AR"},
		"version":     {strings.Replace(good, "|2.4|", "|3.0|", 1), "MSH-12", "AR"},
		"test":        {strings.Replace(good, "|P|", "|T|", 1), "MSH-11", "AR"},
		"no number":   {strings.Replace(good, "ZY001", "", 1), "PV1-19", "AE"},
		"no control":  {strings.Replace(good, "|C1|", "||", 1), "MSH-10", "AE"},
		"time":        {strings.Replace(good, "20261101080000", "20261341080000", 1), "PV1-44", "AE"},
		"coarse time": {strings.Replace(good, "A01|20261101081500", "A01|202611", 1), "EVN-2", "AE"},
		"no ward":     {strings.Replace(good, "内一科", "", 1), "PV1-3", "AE"},
		"escape":      {strings.Replace(good, "张", `\Q\`+secret, 1), "PID-5", "AE"},
		"no patient":  {strings.Replace(good, "PID|", "ZID|", 1), "PID", "AE"},
		"long":        {strings.Replace(good, "ZY001", strings.Repeat("9", 65), 1), "PV1-19", "AE"},
	} {
		h, item := adt.HL7([]byte(c.raw))
		if len(item.Problems) == 0 || item.Problems[0].Field != c.field || len(item.Events) > 0 {
			t.Errorf("%s: %+v", name, item)
			continue
		}
		ack := string(adt.Acknowledge(h, adt.Refused(item.Problems...), time.Now()))
		if !strings.Contains(ack, "\rMSA|"+c.code+"|"+h.ControlID+"|"+c.field) || strings.Contains(ack, secret) || strings.Contains(ack, "张") {
			t.Errorf("%s: %q", name, ack)
		}
	}
	if _, item := adt.HL7([]byte(strings.Replace(good, "PV1|1|I|", "PV1|1|O|", 1))); item.Skipped == nil || len(item.Events) > 0 {
		t.Errorf("an outpatient: %+v", item)
	}
}

func TestHL7Swap(t *testing.T) {
	_, item := adt.HL7([]byte(told("A17", "C9", "", patient+strings.Replace(strings.Replace(patient, "ZY001", "ZY002", 1), "^12|", "^13|", 1))))
	if len(item.Problems) > 0 || len(item.Events) != 2 || item.Events[0].ControlID == item.Events[1].ControlID || item.Events[1].Place.Bed != "13" || item.Events[1].Kind != ward.TransferEvent {
		t.Errorf("%+v", item)
	}
	if _, item := adt.HL7([]byte(told("A17", "C9", "", patient))); len(item.Problems) == 0 {
		t.Errorf("half a swap: %+v", item)
	}
}

func TestHL7File(t *testing.T) {
	file := "FHS|^~\\&\rBHS|^~\\&\r" + told("A01", "1", "", patient) + told("A40", "2", "", patient) + "BTS|2\rFTS|1\r"
	items := adt.HL7File([]byte(file))
	if len(items) != 2 || items[0].Line != 3 || items[1].Line != 7 || len(items[0].Events) != 1 || len(items[1].Problems) == 0 {
		t.Errorf("%+v", items)
	}
}

const encounter = `{"resourceType":"Encounter","id":"e1","meta":{"lastUpdated":"2026-11-03T09:00:00+08:00"},"status":"finished","class":{"code":"IMP"},
"identifier":[{"value":"ZY9"}],"subject":{"reference":"Patient/p1"},"period":{"start":"2026-11-01","end":"2026-11-03T08:00:00+08:00"},
"participant":[{"type":[{"coding":[{"code":"ATND"}]}],"individual":{"display":"李医生"}}],
"location":[{"location":{"reference":"#b2"},"period":{"start":"2026-11-02T10:00:00+08:00"}},{"location":{"reference":"Location/b1"}}],
"contained":[{"resourceType":"Location","id":"b2","name":"7","physicalType":{"coding":[{"code":"bd"}]},"partOf":{"reference":"Location/w"}}]}`

const others = `{"resourceType":"Patient","id":"p1","name":[{"text":"王五"}],"identifier":[{"type":{"coding":[{"code":"NI"}]},"value":"11010119900101123x"}]}
{"resourceType":"Location","id":"b1","name":"6","physicalType":{"coding":[{"code":"bd"}]},"partOf":{"reference":"Location/r"}}
{"resourceType":"Location","id":"r","name":"201","physicalType":{"coding":[{"code":"ro"}]},"partOf":{"reference":"Location/w"}}
{"resourceType":"Location","id":"w","name":"外科","physicalType":{"coding":[{"code":"wa"}]}}`

func TestFHIR(t *testing.T) {
	bundle := `{"resourceType":"Bundle","entry":[{"resource":` + strings.Join(strings.Split(strings.ReplaceAll(encounter, "\n", "")+"\n"+others, "\n"), `},{"resource":`) + `}]}`
	for name, raw := range map[string]string{"NDJSON": strings.ReplaceAll(encounter, "\n", "") + "\n" + others, "bundle": bundle} {
		items := adt.FHIR([]byte(raw))
		if len(items) != 1 || len(items[0].Problems) > 0 || len(items[0].Events) != 1 {
			t.Fatalf("%s: %+v", name, items)
		}
		e := items[0].Events[0]
		s := ward.FoldAdmission([]ward.AdmissionEvent{e})
		if e.Visit != "ZY9" || e.Physician != "李医生" || e.Person.Name != "王五" || e.Person.Number != "11010119900101123X" || len(s.Beds) != 2 ||
			s.Beds[0].BedPlace != (ward.BedPlace{Ward: "外科", Room: "201", Bed: "6"}) || s.Beds[1].BedPlace != (ward.BedPlace{Ward: "外科", Bed: "7"}) ||
			s.Beds[0].Precision != ward.ToTheDay || !s.To.Equal(shanghai("2026-11-03T08:00:00")) {
			t.Errorf("%s: %+v\n%+v", name, e, s)
		}
		if again := adt.FHIR([]byte(raw))[0].Events[0]; again.ControlID != e.ControlID || e.ControlID == "" {
			t.Errorf("%s: the same has another number", name)
		}
	}
	for name, c := range map[string]struct{ from, to, field string }{
		"location": {"Location/w", "Location/nowhere", "Encounter.location"},
		"period":   {`"start":"2026-11-01"`, `"start":"2026"`, "Encounter.period"},
		"number":   {`[{"value":"ZY9"}]`, `[]`, "Encounter.identifier"},
		"status":   {"finished", "unknown", "Encounter.status"},
		"json":     {`"class"`, `"class`, ""},
	} {
		items := adt.FHIR([]byte(strings.ReplaceAll(strings.ReplaceAll(encounter, "\n", "")+"\n"+others, c.from, c.to)))
		if len(items) == 0 || len(items[0].Problems) == 0 || items[0].Problems[0].Field != c.field {
			t.Errorf("%s: %+v", name, items)
		}
	}
}

func TestTable(t *testing.T) {
	l, bad := adt.TableLayout([]string{"住院号", "入院时间", "病区", "床号", "主治医师", "姓名", "身份证号", "出院时间"})
	if bad != nil {
		t.Fatal(bad)
	}
	item := l.Row(2, []string{"ZY1", "2026/11/1 8:05", "内一", "3", "李医生", "张三", "11010119900101123x", "2026年11月5日"})
	if len(item.Problems) > 0 || len(item.Events) != 2 {
		t.Fatalf("%+v", item)
	}
	a, d := item.Events[0], item.Events[1]
	if !a.At.Equal(shanghai("2026-11-01T08:05:00")) || a.Precision != ward.ToTheMinute || d.Kind != ward.DischargeEvent || d.Precision != ward.ToTheDay || a.ControlID == d.ControlID {
		t.Errorf("%+v", item.Events)
	}
	item = l.Row(3, []string{"", "gestern", "", "3"})
	fields := ""
	for _, p := range item.Problems {
		fields += p.Field + " "
	}
	if fields != "time visit ward " {
		t.Errorf("got %q", fields)
	}
	for _, header := range [][]string{{"住院号"}, {"住院号", "时间", "谁"}, {"住院号", "visit", "时间"}} {
		if _, bad := adt.TableLayout(header); bad == nil {
			t.Errorf("%v is taken", header)
		}
	}
}

// sound says what of read items cannot be stored, or makes no stay.
func sound(t *testing.T, items []adt.Item) {
	t.Helper()
	stays := map[string][]ward.AdmissionEvent{}
	for _, item := range items {
		if len(item.Events) > 0 && (len(item.Problems) > 0 || item.Skipped != nil) {
			t.Errorf("wrong or skipped, and taken: %+v", item)
		}
		for _, e := range item.Events {
			if e.Visit == "" || e.ControlID == "" || e.Recorded.IsZero() || e.At.IsZero() || len(e.Place.Ward) > 64*4 || len(e.Numbers) > 8 || e.Kind == "" || e.Precision == "" {
				t.Errorf("%+v", e)
			}
			b, err := json.Marshal(e)
			var again ward.AdmissionEvent
			if err != nil || json.Unmarshal(b, &again) != nil || again.Visit != e.Visit || again.Place != e.Place || again.Person != e.Person || !again.At.Equal(e.At) {
				t.Errorf("stored and read: %+v, not %+v, %v", again, e, err)
			}
			stays[e.Visit] = append(stays[e.Visit], e)
		}
	}
	for _, events := range stays {
		s := ward.FoldAdmission(events)
		if !s.To.IsZero() && s.To.Before(s.From) {
			t.Errorf("it ends before it begins: %+v", s)
		}
		for i, b := range s.Beds {
			if b.From.Before(s.From) || !b.To.IsZero() && b.To.Before(b.From) || i > 0 && !s.Beds[i-1].To.Equal(b.From) || !s.To.IsZero() && b.From.After(s.To) {
				t.Errorf("bed %d of %+v", i, s)
			}
		}
	}
}

// Whatever comes is read without a fault, and what is taken can be stored.
func FuzzHL7(f *testing.F) {
	f.Add([]byte(told("A01", "C1", "UNICODE UTF-8", patient)))
	f.Add([]byte(told("A01", "C1", "UNICODE UTF-8", patient) + told("A02", "C2", "", patient) + told("A12", "C3", "", patient) + told("A03", "C4", "", patient) + told("A13", "C5", "", patient)))
	f.Add([]byte(told("A17", "C1", "GB 18030-2000", patient+patient)))
	f.Add([]byte("FHS|^~\\&\rBHS|^~\\&\r" + told("A01", "1", "", patient) + "BTS|2\rFTS|1\r"))
	f.Add([]byte("MSH|^~\\&|\\X"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sound(t, adt.HL7File(raw))
		h, item := adt.HL7(raw)
		sound(t, []adt.Item{item})
		for _, v := range []adt.Reply{adt.Refused(item.Problems...), adt.Accepted(item.Skipped)} {
			if ack := string(adt.Acknowledge(h, v, time.Now())); strings.ContainsAny(ack, "\x0b\x1c\n") || !strings.HasPrefix(ack, "MSH|") {
				t.Errorf("%q", ack)
			}
		}
	})
}

// FuzzFHIR: likewise.
func FuzzFHIR(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(encounter, "\n", "") + "\n" + others))
	f.Add([]byte(`{"resourceType":"Bundle","timestamp":"2026-11-03T09:00:00+08:00","entry":[{"fullUrl":"urn:1","resource":` + encounter + `}]}`))
	f.Add([]byte(`{"resourceType":"Location","id":"w","partOf":{"reference":"Location/w"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) { sound(t, adt.FHIR(raw)) })
}

// FuzzTable: likewise, of a table whose cells are parted by tabs.
func FuzzTable(f *testing.F) {
	f.Add("住院号\t事件\t时间\t登记时间\t病区\t房间\t床号\t主治医师\t姓名\t证件号\t病人编号\t出院时间\nZY1\t入院\t2026-11-01 08:00\t\t内一\t201\t12\t李\t张\t110101199001011237\tM1\t2026年11月3日\nZY1\t转床\t2026/11/2\t\t内一\t\t13")
	f.Add("visit\ttime\tward\nZY1\t20261101\tw\nZY1\t2026-11-01T08:00:00+08:00\tv")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		l, bad := adt.TableLayout(strings.Split(lines[0], "\t"))
		if bad != nil {
			return
		}
		var items []adt.Item
		for i, line := range lines[1:] {
			items = append(items, l.Row(i+2, strings.Split(line, "\t")))
		}
		sound(t, items)
	})
}
