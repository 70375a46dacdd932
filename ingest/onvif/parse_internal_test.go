package onvif

import (
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<Envelope><Body><GetDeviceInformationResponse><Model>X</Model></GetDeviceInformationResponse></Body></Envelope>`))
	f.Add([]byte(`<s:Envelope xmlns:s="a"><s:Body><s:Fault><s:Code><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		said, err := parse(b)
		if err != nil {
			return
		}
		_, _ = said.moment(time.Now()), said.refused() // whatever they are: they end
	})
}
