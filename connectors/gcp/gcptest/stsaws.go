package gcptest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

// awsRequest is a signed request for AWS, as a subject token: JSON, escaped for a URL.
// https://google.aip.dev/auth/4117
type awsRequest struct {
	URL     string `json:"url"`
	Method  string `json:"method"`
	Headers []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"headers"`
}

// awsSTS is where AWS's Security Token Service is.
var awsSTS = field.Lazily(`^sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$`)

// targetHeader says what the request was signed for, so that no other provider takes it.
const targetHeader = "X-Goog-Cloud-Target-Resource"

// readAWS has AWS tell who signed a subject token.
func (r *request) readAWS(w *Provider, audience string) (string, map[string]any, error) {
	signed, err := readAWSRequest(r.form.Get("subject_token"))
	if err != nil {
		return "", nil, err
	}
	if strings.TrimPrefix(signed.Header.Get(targetHeader), "https:") != audience {
		return "", nil, oauthError("invalid_grant", "The value of the header %s does not match the audience.", strings.ToLower(targetHeader))
	}
	if !strings.Contains(signed.Header.Get("Authorization"), strings.ToLower(targetHeader)) {
		return "", nil, oauthError("invalid_grant", "The header %s is not signed.", strings.ToLower(targetHeader))
	}
	arn, err := w.AWS(signed.WithContext(r.Context()))
	if err != nil {
		return "", nil, oauthError("invalid_grant", "Received invalid AWS response with error message: %s", err)
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return "", nil, oauthError("invalid_grant", "Received invalid AWS response without an ARN.")
	}
	return arn, map[string]any{"arn": arn, "account": parts[4]}, nil
}

// readAWSRequest makes the request again that a subject token is of.
func readAWSRequest(token string) (*http.Request, error) {
	var in awsRequest
	text, err := url.QueryUnescape(token)
	if err != nil || json.Unmarshal([]byte(text), &in) != nil {
		return nil, oauthError("invalid_request", "Invalid format of AWS credentials.")
	}
	out, err := http.NewRequest(in.Method, in.URL, nil) // the caller gives it a context
	if err != nil {
		return nil, oauthError("invalid_request", "Invalid format of AWS credentials.")
	}
	if in.Method != http.MethodPost || out.URL.Scheme != "https" || !awsSTS.MatchString(out.URL.Host) || out.URL.Query().Get("Action") != "GetCallerIdentity" {
		return nil, oauthError("invalid_request", "The AWS credentials are for another request than GetCallerIdentity.")
	}
	for _, header := range in.Headers {
		if strings.EqualFold(header.Key, "host") {
			out.Host = header.Value
			continue
		}
		out.Header.Add(header.Key, header.Value)
	}
	if out.Host != out.URL.Host {
		return nil, oauthError("invalid_request", "The AWS credentials are for another host.")
	}
	return out, nil
}
