package awstest

import (
	"encoding/json"
	"encoding/xml"
)

// sts is the Security Token Service.
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
func (s *Server) sts() *service {
	return &service{
		name: "sts", protocol: query, action: stsAction,
		unsigned: func(r *request) bool { return r.form.Has("Action") },
		public:   map[string]bool{"AssumeRoleWithWebIdentity": true},
		operations: map[string]operation{
			"GetCallerIdentity":         getCallerIdentity,
			"AssumeRole":                assumeRole,
			"AssumeRoleWithWebIdentity": assumeRoleWithWebIdentity,
			"GetSessionToken":           getSessionToken,
			"GetFederationToken":        getFederationToken,
		},
	}
}

const stsVersion = "2011-06-15"

func stsAction(r *request) string {
	if r.form.Get("Version") != stsVersion || r.URL.Path != "/" {
		return ""
	}
	return r.form.Get("Action")
}

// answerQuery answers with the result of an operation, in XML, or in JSON where that was
// asked for.
func (r *request) answerQuery(result any) (answer, error) {
	if wantsJSON(r) {
		body, err := json.Marshal(map[string]any{r.action + "Response": map[string]any{
			r.action + "Result": result, "ResponseMetadata": map[string]string{"RequestId": r.id},
		}})
		return answer{header: contentType("application/json"), body: body}, err
	}
	return answerXML(struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: stsNamespace, Local: r.action + "Response"}, named{r.action + "Result", result}, r.id})
}

// named is a value under another name in XML.
type named struct {
	name  string
	value any
}

// MarshalXML implements xml.Marshaler.
func (n named) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(n.value, xml.StartElement{Name: xml.Name{Local: n.name}})
}

// getCallerIdentity needs no permission: not even an explicit denial forbids it.
func getCallerIdentity(r *request) (answer, error) {
	return r.answerQuery(struct{ Arn, UserId, Account string }{r.who.arn, r.who.userID, r.who.account.id})
}
