package wire

// The words of the loopback service at which GoogleToken's answer is exchanged for a
// credential: the agent speaks them, and credential files name them.
const (
	ExchangePath   = "/v1/token"      // https://www.rfc-editor.org/rfc/rfc8693
	IntrospectPath = "/v1/introspect" // https://www.rfc-editor.org/rfc/rfc7662

	// SubjectTokenType is what the token is called that the answer has.
	SubjectTokenType = "urn:ietf:params:oauth:token-type:id_token"
)
