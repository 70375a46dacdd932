package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

const schemaPrefix = "#/components/schemas/"

// enums are the closed lists of ward as the API document shows them. A value
// that is missing here is refused on input, so a test compares the table
// with the constants of package ward.
var enums = map[reflect.Type][]any{
	reflect.TypeFor[ward.LetterKind]():         {ward.Reminder, ward.Interview, ward.Audit},
	reflect.TypeFor[ward.RedactionState]():     {ward.RedactionQueued, ward.RedactionDone, ward.RedactionFailed, ward.RedactionCancelled},
	reflect.TypeFor[ward.LetterState]():        {ward.LetterDraft, ward.LetterIssued, ward.LetterDelivered, ward.LetterAcknowledged, ward.LetterWithdrawn},
	reflect.TypeFor[ward.LetterAction]():       {ward.LetterWrite, ward.LetterIssue, ward.LetterDeliver, ward.LetterAcknowledge, ward.LetterWithdraw},
	reflect.TypeFor[PrintKind]():               {PrintEvidence, PrintVisit, PrintLetter},
	reflect.TypeFor[ward.Action]():             {ward.ActionOpenCase, ward.ActionAdd, ward.ActionView, ward.ActionExport, ward.ActionEndExport, ward.ActionRule, ward.ActionIdentify, ward.ActionFile, ward.ActionReview, ward.ActionShare, ward.ActionOpened, ward.ActionUnshare, ward.ActionHandOver, ward.ActionReceipt, ward.ActionSignIn, ward.ActionPermit, ward.ActionAskRelease, ward.ActionRelease, ward.ActionKeepHold, ward.ActionSearch, ward.ActionPlay, ward.ActionPrint, ward.ActionUnmask, ward.ActionRedact, ward.ActionAskUnmask, ward.ActionLiftMask, ward.ActionKeepMask, ward.ActionState, ward.ActionLetter},
	reflect.TypeFor[storage.AlertOrder]():      {storage.ByRank, storage.ByNewest, storage.ByDeadline},
	reflect.TypeFor[ward.TimePrecision]():      {ward.ToTheDay, ward.ToTheHour, ward.ToTheMinute, ward.ToTheSecond},
	reflect.TypeFor[ward.AdmissionWay]():       {ward.UnknownWay, ward.ByAPI, ward.ByCSV, ward.ByHL7, ward.ByFHIR, ward.ByMLLP},
	reflect.TypeFor[ward.AdmissionEventKind](): {ward.AdmitEvent, ward.TransferEvent, ward.DischargeEvent, ward.UpdateEvent, ward.CancelAdmitEvent, ward.CancelTransferEvent, ward.CancelDischargeEvent, ward.SnapshotEvent},
	reflect.TypeFor[ward.EnrolmentWay]():       {ward.EnrolByPhoto, ward.EnrolByCamera, ward.EnrolByVisit},
	reflect.TypeFor[ward.StayState]():          {ward.StayToCome, ward.StayInHouse, ward.StayDischarged, ward.StayCancelled},
	reflect.TypeFor[ward.AlertState]():         {ward.AlertNew, ward.AlertTaken, ward.AlertAppealed, ward.AlertConfirmed, ward.AlertDismissed, ward.AlertWithdrawn},
	reflect.TypeFor[ward.AlertSubject]():       {ward.OnSettlement, ward.OnBlind},
	reflect.TypeFor[ward.AlertAction]():        {ward.AlertRaise, ward.AlertRestate, ward.AlertWithdraw, ward.AlertRemind, ward.AlertExpire, ward.AlertFile, ward.AlertTake, ward.AlertAssign, ward.AlertRelease, ward.AlertExtend, ward.AlertConfirm, ward.AlertDismiss, ward.AlertReopen, ward.AlertAppeal},
	reflect.TypeFor[ward.DismissReason]():      {ward.NotDismissed, ward.DismissWrong, ward.DismissLegitimate, ward.DismissUnclear, ward.DismissDuplicate, ward.DismissTest},
	reflect.TypeFor[ward.BlindCause]():         {ward.SignalLost, ward.Frozen, ward.Black, ward.Covered, ward.Defocused, ward.Moved, ward.Glare, ward.WrongClock},
	reflect.TypeFor[BlindWhich]():              {BlindBefore, BlindAt, BlindAfter},
	reflect.TypeFor[ward.Cause]():              {ward.CauseConnecting, ward.CauseUnreachable, ward.CauseAuth, ward.CauseNotFound, ward.CauseCodec, ward.CauseStalled, ward.CauseGarbage, ward.CauseLoss, ward.CauseSlow, ward.CauseDisk, ward.CauseRestart, ward.CauseCrash, ward.CauseDisabled, ward.CauseSchedule, ward.CauseBusy, ward.CauseClock, ward.CauseEvicted},
	reflect.TypeFor[ward.Basis]():              {ward.SameFace, ward.SameEnrolment, ward.SamePictures},
	reflect.TypeFor[ward.CheckKind]():          {ward.CheckLive, ward.CheckFace, ward.CheckTurn, ward.CheckNod, ward.CheckEyes, ward.CheckMouth, ward.CheckColours, ward.CheckOtherBed, ward.CheckSeenBefore, ward.CheckWardCode, ward.CheckBed, ward.CheckPosition, ward.CheckNetwork},
	reflect.TypeFor[ward.Clock]():              {ward.ServerClock, ward.CameraClock},
	reflect.TypeFor[ward.Codec]():              {ward.H264, ward.H265, ward.VP8, ward.MJPEG, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec},
	reflect.TypeFor[ward.DeliveryState]():      {ward.DeliveryPending, ward.DeliveryDone, ward.DeliveryDead},
	reflect.TypeFor[ward.DrawSource]():         {ward.SourceDrand, ward.SourceCoin},
	reflect.TypeFor[ward.DrawState]():          {ward.DrawCommitted, ward.DrawDrawn, ward.DrawOrdered, ward.DrawFailed, ward.DrawAbandoned},
	reflect.TypeFor[ward.DrawStepKind]():       {ward.StepCommit, ward.StepResult, ward.StepOrder, ward.StepFail, ward.StepAbandon},
	reflect.TypeFor[draw.FailReason]():         {draw.ContactRefused, draw.ContactSilent, draw.NoBeacon},
	reflect.TypeFor[ward.RiskPartKind]():       {ward.RiskAlerts, ward.RiskStay, ward.RiskUnseen, ward.RiskPlace},
	reflect.TypeFor[ward.PlanOutcome]():        {ward.PlanStarted, ward.PlanMissed, ward.PlanFailed},
	reflect.TypeFor[ward.PlanState]():          {ward.PlanActive, ward.PlanEnded, ward.PlanCancelled},
	reflect.TypeFor[ward.RoundMethod]():        {ward.ByHand, ward.ByRisk, ward.ByDraw},
	reflect.TypeFor[ward.EndpointKind]():       {ward.Webhook, ward.Email, ward.MQTT},
	reflect.TypeFor[ward.EventType]():          {ward.AlertRaisedEvent, ward.AlertChangedEvent, ward.VisitSealedEvent, ward.VisitWaitingEvent, ward.VisitLapsedEvent, ward.OutageChangedEvent, ward.RoundRemindedEvent, ward.RoundEscalatedEvent, ward.TestEvent},
	reflect.TypeFor[EventKind]():               {AlertEvent, SettlementEvent, VisitEvent, CameraEvent, OutageEvent, TabletEvent, ReloadEvent},
	reflect.TypeFor[ward.DossierKind]():        {ward.DossierCase, ward.DossierAlert, ward.DossierVisit, ward.DossierSettlement, ward.DossierDuty},
	reflect.TypeFor[ward.SubjectKind]():        {ward.PersonSubject, ward.PhysicianSubject, ward.InstitutionSubject},
	reflect.TypeFor[ward.CaseState]():          {ward.CaseOpen, ward.CaseFirst, ward.CaseSecond, ward.CaseDecided, ward.CaseAppealed, ward.CaseClosed},
	reflect.TypeFor[ward.CaseAction]():         {ward.CaseSubmit, ward.CasePass, ward.CaseReturn, ward.CaseAppeal, ward.CaseClose, ward.CaseReopen, ward.CaseRecheck},
	reflect.TypeFor[ward.EvidenceKind]():       {ward.EvidenceSegment, ward.EvidenceSnapshot, ward.EvidenceSettlement, ward.EvidenceAlert, ward.EvidenceVisit, ward.EvidenceStretch, ward.EvidenceFile, ward.EvidenceSighting, ward.EvidenceBlind, ward.EvidenceDraw, ward.EvidenceOutage},
	reflect.TypeFor[ward.ReleaseState]():       {ward.ReleaseRequested, ward.ReleaseConfirmed, ward.ReleaseRefused},
	reflect.TypeFor[ward.OutageAction]():       {ward.OutageReport, ward.OutageWithdraw, ward.OutageRefuse, ward.OutageAccept},
	reflect.TypeFor[ward.Origin]():             {ward.FromStream, ward.FromDevice},
	reflect.TypeFor[ward.Capacity]():           {ward.CapacityHolder, ward.CapacityWitness},
	reflect.TypeFor[ward.DeviceSource]():       {ward.DeviceByHand, ward.DeviceByCamera},
	reflect.TypeFor[ward.ClockSync]():          {ward.SyncUnknown, ward.Synced, ward.Unsynced},
	reflect.TypeFor[ward.CameraSignature]():    {ward.SignatureUnseen, ward.SignatureNone, ward.SignatureONVIF, ward.SignatureAxis},
	reflect.TypeFor[ward.Outcome]():            {ward.Pass, ward.Fail, ward.Unsure, ward.NotDone},
	reflect.TypeFor[ward.Permission]():         {ward.MayWatch, ward.MayManage, ward.MaySettle, ward.MayReview, ward.MayRound, ward.MayCase, ward.MayAppeal, ward.MayFlip, ward.MayOutages, ward.MayReport, ward.MayIdentify, ward.MayAdmit, ward.MayTablets, ward.MayAdminister},
	reflect.TypeFor[ward.ParamUnit]():          {ward.InSeconds, ward.InMinutes, ward.InDays, ward.InShare, ward.InCosine, ward.InCount, ward.InKm, ward.InKmh, ward.InDayMinute},
	reflect.TypeFor[ward.PositionState]():      {ward.PositionGiven, ward.PositionRefused, ward.PositionUnavailable},
	reflect.TypeFor[ward.PlaceKind]():          {ward.Charge, ward.Pharmacy, ward.Corridor, ward.Ward, ward.Treatment},
	reflect.TypeFor[ward.RecordPolicy]():       {ward.RecordAlways, ward.RecordHours, ward.RecordNever},
	reflect.TypeFor[ward.RecordingEventKind](): {ward.ClockJump, ward.Drift, ward.ParamsChanged, ward.SenderChanged, ward.OverTCP, ward.AudioDropped, ward.Backfilled, ward.NotBackfilled},
	reflect.TypeFor[ward.Circumstance]():       {ward.Review, ward.Bedridden, ward.HardHear, ward.Demented, ward.Palsy, ward.Child, ward.Asleep, ward.ICU, ward.Surgery, ward.OnLeave, ward.Refusing},
	reflect.TypeFor[ward.Need]():               {ward.Required, ward.Advisory, ward.Off},
	reflect.TypeFor[ward.Proof]():              {ward.NoProof, ward.ProofPatient, ward.ProofBedCard, ward.ProofSchedule, ward.ProofLeaveSlip},
	reflect.TypeFor[ward.Purpose]():            {ward.ForVisit, ward.ForDuty, ward.ForDutyCheck, ward.ForTreatment, ward.ForEnrolment},
	reflect.TypeFor[ward.Result]():             {ward.ResultRefused},
	reflect.TypeFor[ward.Via]():                {ward.ViaPassword, ward.ViaOneTime, ward.ViaToken, ward.ViaShare, ward.ViaBedside, ward.ViaService},
	reflect.TypeFor[ward.RulingState]():        {ward.RulingProposed, ward.RulingConfirmed, ward.RulingRejected, ward.RulingLapsed},
	reflect.TypeFor[ward.Role]():               {ward.Administrator, ward.Inspector, ward.Operator, ward.Contact, ward.Recipient, ward.Terminal},
	reflect.TypeFor[ward.Rule]():               {ward.NobodyAtCounter, ward.MoreCardsThanFolk, ward.OneFaceManyCards, ward.CardsHoarded, ward.OneCardManyFaces, ward.FaceMismatch, ward.ImpossibleTravel, ward.BatchSwiping, ward.OutOfHours, ward.DrugNotCollected, ward.KnownCollector, ward.SettledBlind, ward.NoPhysician, ward.Loitering, ward.BlindUnreported},
	reflect.TypeFor[ward.RuleMode]():           {ward.RuleLive, ward.RuleShadow, ward.RuleOff},
	reflect.TypeFor[ward.SearchPurpose]():      {ward.SearchCards, ward.SearchWhereabouts},
	reflect.TypeFor[ward.SearchSubject]():      {ward.SubjectPhoto, ward.SubjectAlert, ward.SubjectInsured},
	reflect.TypeFor[ward.SegmentState]():       {ward.Spooled, ward.Archived, ward.Deleting, ward.Deleted, ward.Evicted},
	reflect.TypeFor[ward.Billable]():           {ward.BillYes, ward.BillNo, ward.CannotSay},
	reflect.TypeFor[ward.Datum]():              {ward.WGS84, ward.GCJ02, ward.BD09},
	reflect.TypeFor[ward.DutyOutcome]():        {ward.DutyVerified, ward.DutyUnplaced, ward.DutyUnsure, ward.DutyRefused, ward.DutyElsewhere},
	reflect.TypeFor[ward.DutyPlace]():          {ward.DutyUnchecked, ward.DutyNotGiven, ward.DutyInside, ward.DutyOutside, ward.DutyVague, ward.DutyShifted, ward.DutyBadFix},
	reflect.TypeFor[ward.TreatmentKind]():      {ward.Dialysis, ward.Rehabilitation, ward.Examination},
	reflect.TypeFor[ward.TreatmentEventKind](): {ward.TreatmentBegun, ward.TreatmentCalled, ward.TreatmentSeen, ward.TreatmentEnded, ward.TreatmentBilled},
	reflect.TypeFor[ward.TreatmentReason]():    {ward.TreatmentCovered, ward.TreatmentRefused, ward.TreatmentRunning, ward.TreatmentShort, ward.TreatmentUnproven},
	reflect.TypeFor[ward.CallState]():          {ward.CallOpen, ward.CallAnswered, ward.CallLate, ward.CallMissed, ward.CallUnsure, ward.CallUnshown},
	reflect.TypeFor[ward.SpanState]():          {ward.SpanPresent, ward.SpanTolerated, ward.SpanOpen, ward.SpanAbsent},
	reflect.TypeFor[ward.DutyReason]():         {ward.DutyProven, ward.DutyNone, ward.DutyAway, ward.DutyNotHere, ward.DutyPlaceless, ward.DutyFaceUnsure, ward.DutyNotEnrolled, ward.DutyFuture},
	reflect.TypeFor[ward.IdentityReason]():     {ward.IdentityTold, ward.IdentityNotEnrolled, ward.IdentityOtherModel, ward.IdentityNoFace, ward.IdentityManyFaces, ward.IdentityPoor, ward.IdentityNoPicture, ward.IdentityClose},
	reflect.TypeFor[ward.IdentitySource]():     {ward.IdentityByPhoto, ward.IdentityByCamera, ward.IdentityByVisit},
	reflect.TypeFor[ward.Match]():              {ward.MatchYes, ward.MatchUnsure, ward.MatchNo},
	reflect.TypeFor[ward.SettlementKind]():     {ward.Outpatient, ward.DrugSale, ward.TreatmentFee, ward.Inpatient},
	reflect.TypeFor[ward.SettlementState]():    {ward.Pending, ward.Clear, ward.Suspicious, ward.CannotTell, ward.Reversed},
	reflect.TypeFor[ward.SightingKind]():       {ward.Watched, ward.PeopleSeen, ward.StaffSeen, ward.QueueSeen, ward.FaceSeen, ward.LensSeen, ward.LoitererSeen},
	reflect.TypeFor[ward.SourceKind]():         {ward.FromCamera, ward.FromVisit},
	reflect.TypeFor[ward.SubFault]():           {ward.NoSubFault, ward.SubAway, ward.SubBusy, ward.SubKeyless, ward.SubSmall, ward.SubDiffers},
	reflect.TypeFor[ward.TellWay]():            {ward.ByTablet, ward.ByLink, ward.ByQR, ward.BySMS},
	reflect.TypeFor[ward.TabletNetwork]():      {ward.UnknownNetwork, ward.WiFiNetwork, ward.CellularNetwork, ward.WiredNetwork, ward.OtherNetwork},
	reflect.TypeFor[ward.Transport]():          {ward.TransportTCP, ward.TransportUDP, ward.TransportAuto},
	reflect.TypeFor[ward.Verdict]():            {ward.NoVerdict, ward.Present, ward.Mismatch, ward.Absent, ward.Unable, ward.Refused, ward.NoAnswer, ward.Discharged, ward.Interrupted, ward.Undecided},
	reflect.TypeFor[ward.VisitState]():         {ward.VisitOrdered, ward.VisitOpened, ward.VisitConsented, ward.VisitChecking, ward.VisitDeciding, ward.VisitSealed},
	reflect.TypeFor[ward.ZoneKind]():           {ward.CustomerZone, ward.StaffZone, ward.QueueZone, ward.Elsewhere, ward.NoZone},
}

// enum stands for the string type T in the API document.
type enum[T ~string] string

// Schema names T's schema and lists its values.
func (enum[T]) Schema(r huma.Registry) *huma.Schema {
	t := reflect.TypeFor[T]()
	values := make([]any, len(enums[t]))
	for i, v := range enums[t] {
		values[i] = reflect.ValueOf(v).String()
	}
	s := &huma.Schema{Type: huma.TypeString, Enum: values}
	s.PrecomputeMessages()
	r.Map()[t.Name()] = s
	return &huma.Schema{Ref: schemaPrefix + t.Name()}
}

func alias[T ~string](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[T](), reflect.TypeFor[enum[T]]())
}

func apiConfig() huma.Config {
	c := huma.DefaultConfig("Wardwatch", "1")
	c.Info.Description = "Cameras, settlements, ward rounds and cases of a medical-insurance inspection. Times are RFC 3339 in UTC, money is in 分, errors are RFC 9457 problems."
	// The document is served by a declared route of our own; no docs page,
	// no $schema links.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Transformers = []huma.Transformer{ownProblems}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: cookieName(true), Description: "Set by /sign-in; the name has no __Host- prefix where there is no TLS."},
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, for billing systems."},
		"tablet":  {Type: "apiKey", In: "cookie", Name: tabletCookie(true), Description: "Set by /tablet/pair; the name has no __Host- prefix where there is no TLS."},
		"share":   {Type: "apiKey", In: "cookie", Name: shareCookie(true), Description: "Set by /shared/open; the name has no __Host- prefix where there is no TLS."},
		"device":  {Type: "http", Scheme: "bearer", Description: "The device secret that /bedside/open returned."},
	}
	r := c.Components.Schemas
	r.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	alias[ward.Action](r)
	alias[ward.Result](r)
	alias[ward.Via](r)
	alias[ward.AlertAction](r)
	alias[storage.AlertOrder](r)
	alias[ward.AlertState](r)
	alias[ward.ReleaseState](r)
	alias[ward.AlertSubject](r)
	alias[ward.BlindCause](r)
	alias[ward.SubjectKind](r)
	alias[ward.DossierKind](r)
	alias[ward.CaseState](r)
	alias[ward.CaseAction](r)
	alias[ward.LetterKind](r)
	alias[ward.RedactionState](r)
	alias[ward.LetterState](r)
	alias[ward.LetterAction](r)
	alias[PrintKind](r)
	alias[BlindWhich](r)
	alias[ward.Cause](r)
	alias[ward.DeliveryState](r)
	alias[ward.DrawSource](r)
	alias[ward.DrawState](r)
	alias[ward.DrawStepKind](r)
	alias[draw.FailReason](r)
	alias[ward.RiskPartKind](r)
	alias[ward.PlanOutcome](r)
	alias[ward.PlanState](r)
	alias[ward.RoundMethod](r)
	alias[ward.EndpointKind](r)
	alias[ward.EventType](r)
	alias[ward.Basis](r)
	alias[ward.CheckKind](r)
	alias[ward.Clock](r)
	alias[ward.Codec](r)
	alias[ward.Capacity](r)
	alias[ward.ClockSync](r)
	alias[ward.CameraSignature](r)
	alias[ward.DeviceSource](r)
	alias[ward.DismissReason](r)
	alias[EventKind](r)
	alias[ward.EvidenceKind](r)
	alias[ward.Billable](r)
	alias[ward.DutyOutcome](r)
	alias[ward.DutyPlace](r)
	alias[ward.DutyReason](r)
	alias[ward.TreatmentKind](r)
	alias[ward.TreatmentEventKind](r)
	alias[ward.TreatmentReason](r)
	alias[ward.CallState](r)
	alias[ward.SpanState](r)
	alias[ward.IdentityReason](r)
	alias[ward.IdentitySource](r)
	alias[ward.Match](r)
	alias[ward.AdmissionWay](r)
	alias[ward.AdmissionEventKind](r)
	alias[ward.EnrolmentWay](r)
	alias[ward.StayState](r)
	alias[ward.OutageAction](r)
	alias[ward.Outcome](r)
	alias[ward.Permission](r)
	alias[ward.ParamUnit](r)
	alias[ward.Datum](r)
	alias[ward.PositionState](r)
	alias[ward.PlaceKind](r)
	alias[ward.RecordingEventKind](r)
	alias[ward.RecordPolicy](r)
	alias[ward.Circumstance](r)
	alias[ward.Need](r)
	alias[ward.Proof](r)
	alias[ward.Purpose](r)
	alias[ward.RulingState](r)
	alias[ward.Role](r)
	alias[ward.Rule](r)
	alias[ward.RuleMode](r)
	alias[ward.SearchPurpose](r)
	alias[ward.SearchSubject](r)
	alias[ward.SegmentState](r)
	alias[ward.SettlementKind](r)
	alias[ward.SettlementState](r)
	alias[ward.SightingKind](r)
	alias[ward.SourceKind](r)
	alias[ward.SubFault](r)
	alias[ward.TabletNetwork](r)
	alias[ward.TellWay](r)
	alias[ward.TimePrecision](r)
	alias[ward.Transport](r)
	alias[ward.Verdict](r)
	alias[ward.VisitState](r)
	alias[ward.ZoneKind](r)
	return c
}

// tidy corrects what huma describes too broadly: every array is an array,
// never null, since the handlers answer with empty ones; and a body that is
// read as JSON is not offered as raw bytes.
func tidy(doc *huma.OpenAPI) {
	for _, s := range doc.Components.Schemas.Map() {
		noNullArrays(s)
	}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Post, path.Put} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			if _, ok := op.RequestBody.Content["application/json"]; ok {
				delete(op.RequestBody.Content, "application/octet-stream")
			}
		}
	}
}

func noNullArrays(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	noNullArrays(s.Items)
	for _, p := range s.Properties {
		noNullArrays(p)
	}
}

// Document returns the OpenAPI 3.1 document as indented JSON. It needs no
// running parts.
func Document() ([]byte, error) {
	r, err := (&Server{}).routes()
	if err != nil {
		return nil, err
	}
	return r.document()
}

func (r *routes) document() ([]byte, error) {
	raw, err := r.api.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, err
	}
	return indent(raw)
}

// binary describes a response that is not JSON.
func binary(description string, contentTypes ...string) *huma.Response {
	r := &huma.Response{Description: description, Content: map[string]*huma.MediaType{}}
	for _, t := range contentTypes {
		r.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return r
}

func indent(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("indent document: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
