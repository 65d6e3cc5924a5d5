package gcp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Where the keys of AWS come from, where the configuration's addresses do not say.
var (
	awsProcessField = field.String{
		Name: "aws_credential_process", Title: "command that prints keys of AWS", Check: checkCommand,
		Example: "svcconn credential --connector aws-prod --resource-type aws-generic --format credential-process",
		Help: "With a configuration for AWS: a command that prints keys as a credential_process of the AWS CLI does, instead of the metadata addresses of the configuration. " +
			"It is run for every mint, without a shell: words are split at white space, quotes keep them together. It is stored in plain text.",
	}
	awsRegionField = field.String{
		Name: "aws_region", Title: "region of AWS", Example: "eu-central-1", Check: checkAWSRegion,
		Help: "With aws_credential_process: the region whose Security Token Service proves the identity.",
	}
)

// awsFields are the fields of methods whose configuration may be one for AWS.
func awsFields() field.Set { return field.Set{awsProcessField, awsRegionField} }

var awsRegion = field.Lazily(`^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$`)

func checkAWSRegion(text string) (string, error) {
	if !awsRegion.MatchString(text) {
		return "", fault.New(fault.Invalid, "it is not a region of AWS").Hint("it looks like eu-central-1")
	}
	return text, nil
}

// amazon says where the keys of AWS are that the proof is signed with.
type amazon struct {
	Environment  string `json:"environment_id"` // "aws1"
	RegionURL    string `json:"region_url"`
	Verification string `json:"regional_cred_verification_url"`
	SessionURL   string `json:"imdsv2_session_token_url"`
}

// usualVerification is the request that is signed, and that Google then sends to AWS.
const usualVerification = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"

// awsKeys are keys of AWS that sign a proof.
type awsKeys struct {
	region string
	pair   externalaccount.AwsSecurityCredentials
}

func (k awsKeys) supply(config *externalaccount.Config) { config.AwsSecurityCredentialsSupplier = k }

func (k awsKeys) secrets() []secret.Text {
	return []secret.Text{secret.New(k.pair.SecretAccessKey), secret.New(k.pair.SessionToken)}
}

// AwsRegion implements externalaccount.AwsSecurityCredentialsSupplier.
func (k awsKeys) AwsRegion(context.Context, externalaccount.SupplierOptions) (string, error) {
	return k.region, nil
}

// AwsSecurityCredentials implements externalaccount.AwsSecurityCredentialsSupplier.
func (k awsKeys) AwsSecurityCredentials(context.Context, externalaccount.SupplierOptions) (*externalaccount.AwsSecurityCredentials, error) {
	return &k.pair, nil
}

// prover is what gets keys of AWS: from the fields' command, or else from the addresses of
// the configuration. keysURL is where the roles of the machine are listed.
func (a amazon) prover(c *clients, keysURL string) (prover, error) {
	command, region := awsProcessField.Get(c.values), awsRegionField.Get(c.values)
	switch {
	case a.Environment != "aws1":
		return nil, fault.New(fault.Invalid, "its key environment_id is not aws1, the only one that is known")
	case a.Verification != "" && a.Verification != usualVerification:
		return nil, fault.New(fault.Invalid, "its key regional_cred_verification_url is not the usual one, %s, and no other can be signed", usualVerification).
			Hint("leave it out of the configuration")
	case (command == "") != (region == ""):
		return nil, fault.New(fault.Invalid, "the fields %s and %s go together", awsProcessField.Name, awsRegionField.Name).Hint("give both, or neither")
	case command != "":
		words, err := splitCommand(command)
		return func(ctx context.Context) (proof, error) { return keysPrinted(ctx, c, words, region) }, err
	case keysURL == "" || a.RegionURL == "":
		return nil, fault.New(fault.Invalid, "it is for AWS and lacks url or region_url, which say where the keys are").
			Hint("say it with fields: --set %s=COMMAND --set %s=%s", awsProcessField.Name, awsRegionField.Name, awsRegionField.Example)
	}
	m := awsMachine{c: c}
	for into, text := range map[**url.URL]string{&m.keys: keysURL, &m.region: a.RegionURL, &m.session: a.SessionURL} {
		if text == "" {
			continue
		}
		address, err := checkAddress(text)
		if err != nil {
			return nil, fault.Within(err, "one of its addresses")
		}
		*into = address
	}
	return m.prove, nil
}

// keysPrinted runs a credential process.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func keysPrinted(ctx context.Context, c *clients, words []string, region string) (proof, error) {
	finished, err := hop.Answer(ctx, c.host, time.Minute, connector.Command{Program: words[0], Args: words[1:]})
	if err != nil {
		return nil, fault.Within(err, "field %s", awsProcessField.Name)
	}
	var said struct {
		Version int
		printedKeys
	}
	if json.Unmarshal(finished.Stdout, &said) != nil || said.Version != 1 {
		return nil, fault.New(fault.Failed, "field %s: what the command prints is not JSON of keys, of version 1", awsProcessField.Name).
			Hint("it has to print what a credential_process of the AWS CLI does")
	}
	keys, err := said.keys(c, region)
	return keys, fault.Within(err, "field %s", awsProcessField.Name)
}

// printedKeys are keys of AWS as JSON: of a credential process, or of a machine.
type printedKeys struct {
	AccessKeyId, SecretAccessKey hidden
	SessionToken, Token          hidden
	Expiration                   time.Time
}

func (k printedKeys) keys(c *clients, region string) (proof, error) {
	session := k.SessionToken
	if session.IsEmpty() {
		session = k.Token
	}
	switch {
	case k.AccessKeyId.IsEmpty() || k.SecretAccessKey.IsEmpty():
		return nil, fault.New(fault.Failed, "there are no keys of AWS in the answer")
	case !k.Expiration.IsZero() && !k.Expiration.After(c.host.Now()):
		return nil, fault.New(fault.Denied, "the keys of AWS have expired: they were good until %s", k.Expiration.UTC().Format(time.RFC3339)).Hint("log in again where they come from")
	}
	return awsKeys{region, externalaccount.AwsSecurityCredentials{
		AccessKeyID: k.AccessKeyId.Reveal(), SecretAccessKey: k.SecretAccessKey.Reveal(), SessionToken: session.Reveal(),
	}}, nil
}

// awsMachine is the metadata service of a machine of AWS's, where a configuration says
// that it is.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
type awsMachine struct {
	c                     *clients
	keys, region, session *url.URL // session is nil where the first version of the service is asked
}

// prove gets the keys of the machine's role.
func (m awsMachine) prove(ctx context.Context) (proof, error) {
	header := http.Header{}
	if m.session != nil {
		session, err := m.ask(ctx, http.MethodPut, m.session, http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}})
		if err != nil {
			return nil, err
		}
		header.Set("X-Aws-Ec2-Metadata-Token", session)
	}
	zone, err := m.ask(ctx, http.MethodGet, m.region, header)
	if err != nil {
		return nil, err
	}
	// The zone is the region and a letter.
	region, err := checkAWSRegion(zone[:max(0, len(zone)-1)])
	if err != nil {
		return nil, fault.New(fault.Failed, "%s: %q is not a zone of AWS", m.region.Host, hop.OneLine(zone)).Hint("region_url in the configuration has to lead to the availability zone")
	}
	role, err := m.ask(ctx, http.MethodGet, m.keys, header)
	if err != nil {
		return nil, err
	}
	role, _, _ = strings.Cut(role, "\n")
	raw, err := m.ask(ctx, http.MethodGet, m.keys.JoinPath(url.PathEscape(role)), header)
	if err != nil {
		return nil, err
	}
	var said printedKeys
	if json.Unmarshal([]byte(raw), &said) != nil {
		return nil, fault.New(fault.Failed, "%s: the answer is not JSON of keys", m.keys.Host).Hint("check url in the configuration")
	}
	return said.keys(m.c, region)
}

// ask asks one address. What a header has in it is no secret that outlives the question.
func (m awsMachine) ask(ctx context.Context, method string, address *url.URL, header http.Header) (string, error) {
	body, response, err := m.c.visit(ctx, "the machine's metadata at "+address.Host, method, address, header)
	switch {
	case err != nil:
		return "", err
	case response.StatusCode != http.StatusOK:
		return "", fault.New(kindOfStatus(response.StatusCode), "the machine's metadata at %s: %s", address.Host, hop.Status(response.StatusCode, "")).
			Hint("it has to be a machine of AWS's that has a role; or say where the keys are: --set %s=COMMAND --set %s=%s", awsProcessField.Name, awsRegionField.Name, awsRegionField.Example)
	}
	text := strings.TrimSpace(string(body))
	if method == http.MethodPut {
		if err := checkToken(secret.New(text)); err != nil || text == "" {
			return "", fault.New(fault.Failed, "the machine's metadata at %s: the answer is no token", address.Host).Hint("check imdsv2_session_token_url in the configuration")
		}
	}
	return text, nil
}
