package rounds

// Authority is in whose name beds are visited: who processes what is recorded,
// as the bedside's first page says (个人信息保护法 art. 17).
type Authority struct {
	Name       string `json:"name"`
	Address    string `json:"address"`
	Telephone  string `json:"telephone" doc:"To ask, to have a look, to withdraw the consent"`
	Complaints string `json:"complaints" doc:"Whom to complain to, and how"`
}

// Legal is the ground on which beds are visited, as the first page says.
type Legal struct{ ZH, EN string }

// DefaultLegal is said where the deployer gives no other; counsel of the deployer reviews it.
func DefaultLegal() Legal { return Legal{legalZH, legalEN} }

const (
	legalZH = "依据《医疗保障基金使用监督管理条例》第二十七条，医保稽核人员可以记录、录音、录像和复制与医保基金使用有关的情况。面部信息是敏感个人信息，依据《个人信息保护法》第二十九条须取得您的单独同意。您可以拒绝，也可以在查房中随时结束通话；拒绝或中断会被如实记录，您也可以要求以其他方式核验身份。"
	legalEN = "Under Article 27 of the Regulations on the Supervision of the Use of Medical Security Funds, inspectors may record and film. A face is sensitive personal information: under Article 29 of the Personal Information Protection Law it takes your separate consent. You may refuse, and you may end the call at any time; a refusal or an interruption is recorded as such, and you may ask to prove your identity another way."
)
