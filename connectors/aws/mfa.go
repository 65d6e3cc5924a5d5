package aws

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fields of multi-factor authentication, for methods that begin with an access key.
var (
	mfaSerialField = field.String{
		Name: "mfa_serial", Title: "MFA device", Example: serialExample, Check: checkSerial,
		Help: "The device that shows codes: the ARN of a virtual one, the serial number of one of hardware. " +
			"With it a person is asked for a code, once in mfa_lifetime: `svcconn verify NAME` does that, and registering the connector.",
	}
	mfaLifetimeField = field.Duration{
		Name: "mfa_lifetime", Title: "lifetime of an MFA session", Default: mfaLifetime.String(), Example: "36h", Min: userBounds.Min, Max: userBounds.Max,
		Help: "For how long one code is enough, from 15m to 36h.",
	}
	mfaSessionField = field.Secret{
		Name: "mfa_session", Title: "MFA session",
		Help: "Filled when a code was typed in: the keys of the session that it opened. A new one is opened when it is over, or for another device or access key; before that, once this field is unset.",
	}
)

// mfaLifetime is AWS's own default.
const mfaLifetime = 12 * time.Hour

func mfaFields() field.Set { return field.Set{mfaSerialField, mfaLifetimeField, mfaSessionField} }

func hasMFA(values field.Values) bool { return mfaSerialField.Get(values) != "" }

// openUser is the access key of the fields, or where they name a device, the session that
// a code of it opens.
func openUser(c *clients, values field.Values) (source, error) {
	k, err := givenKeys(values)
	if err == nil {
		err = checkMFA(values)
	}
	switch {
	case err != nil:
		return nil, err
	case !hasMFA(values):
		return staticKeys(k), nil
	case !k.token.IsEmpty():
		return nil, fault.New(fault.Invalid, "temporary keys cannot open a session with a code, and field %s wants one", mfaSerialField.Name).
			Hint("give a long-lived access key, or leave %s out where the keys were got with a code already", mfaSerialField.Name)
	}
	return &mfaLogin{c: c, user: k, kept: readMFASession(mfaSessionField.Get(values))}, nil
}

// checkMFA checks what the fields of a device say together.
func checkMFA(values field.Values) error {
	serial := mfaSerialField.Get(values)
	switch {
	case serial == "" && mfaLifetimeField.Get(values) != mfaLifetime:
		return fault.New(fault.Invalid, "field %s is about an MFA device, and none is named", mfaLifetimeField.Name).
			Hint("name it with --set %s=ARN, or leave %s out", mfaSerialField.Name, mfaLifetimeField.Name)
	case !isARN(serial):
		return nil
	}
	own, err := partitionIn(values)
	if err != nil {
		return err
	}
	return own.inPartition("the MFA device "+serial, partitionOfARN(serial))
}

// mfaLogin is a source of keys of a session that a code opened.
type mfaLogin struct {
	c    *clients
	user keys

	mu      sync.Mutex
	kept    mfaSession
	changed bool     // kept is not what is stored
	asking  *minting // the question that is being asked; nil where none is
}

// relevant keeps the lifetime, which cannot be asked for.
func (m *mfaLogin) relevant(want purpose) purpose { return purpose{lifetime: want.lifetime} }

// keys is the session that is kept, or a new one: a person is asked for a code once,
// however many wait for it.
func (m *mfaLogin) keys(ctx context.Context, want purpose) (keys, error) {
	if want.lifetime != 0 {
		return keys{}, errMFALifetime()
	}
	m.mu.Lock()
	if m.current() {
		defer m.mu.Unlock()
		return m.kept.keys, nil
	}
	asking := m.asking
	mine := asking == nil
	if mine {
		asking = &minting{done: make(chan struct{})}
		m.asking = asking
	}
	m.mu.Unlock()
	if mine {
		m.finish(asking, func() (keys, error) { return m.login(ctx) })
	}
	select {
	case <-asking.done:
		return asking.keys, asking.err
	case <-ctx.Done():
		return keys{}, m.c.failed(ctx, "STS", ctx.Err())
	}
}

// finish logs in for all who wait.
func (m *mfaLogin) finish(asking *minting, login func() (keys, error)) {
	asking.keys, asking.err = login()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asking = nil
	if asking.err == nil {
		m.kept, m.changed = mfaSession{serial: m.serial(), user: m.user.id, keys: asking.keys}, true
	}
	close(asking.done)
}

// leastLeft is what a session has to have left: with less, what begins with it may end
// without it.
const leastLeft = 30 * time.Second

// current reports whether the session that is kept is of this device and access key, and
// not over.
func (m *mfaLogin) current() bool {
	return m.kept.serial == m.serial() && m.kept.user == m.user.id && m.kept.keys.expires.After(m.c.now().Add(leastLeft))
}

func (m *mfaLogin) serial() string { return mfaSerialField.Get(m.c.values) }

// codeForm is a code of any device that AWS knows.
var codeForm = field.Lazily(`^[0-9]{6}$`)

// login asks the person for a code, and opens a session with it.
func (m *mfaLogin) login(ctx context.Context) (keys, error) {
	if m.c.host.Person == nil {
		return keys{}, fault.New(fault.NeedsPerson, "login required: a code of the MFA device %s", m.serial())
	}
	typed, err := m.c.host.Person.Ask(ctx, "Code of the MFA device "+m.serial())
	if err != nil {
		return keys{}, err
	}
	code := secret.New(strings.Join(strings.Fields(typed.Reveal()), "")) // some devices show it in two groups
	if !codeForm.MatchString(code.Reveal()) {
		return keys{}, fault.New(fault.Invalid, "what was typed in is not a code of six digits").Hint("try again")
	}
	k, err := m.c.sessionToken(ctx, m.user, awssts.GetSessionTokenInput{
		DurationSeconds: seconds(mfaLifetimeField.Get(m.c.values)),
		SerialNumber:    awssdk.String(m.serial()), TokenCode: awssdk.String(code.Reveal()),
	})
	if err != nil {
		return keys{}, withoutCode(err, code)
	}
	return k, nil
}

// withoutCode takes a code out of an error, but not out of a longer number.
func withoutCode(err error, code secret.Text) error {
	alone := regexp.MustCompile(`\b` + regexp.QuoteMeta(code.Reveal()) + `\b`)
	return reworded(err, func(words string) string { return alone.ReplaceAllString(words, secret.Redacted) })
}

// renewed implements renewing.
func (m *mfaLogin) renewed() map[string]secret.Text {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.changed {
		return nil
	}
	return map[string]secret.Text{mfaSessionField.Name: m.kept.text()}
}

// mfaSession is a session that a code opened, and what it belongs to.
type mfaSession struct {
	serial string
	user   string // the id of the access key
	keys   keys
}

// mfaSessionText is how it is kept.
type mfaSessionText struct {
	Serial       string    `json:"mfa_serial"`
	User         string    `json:"access_key_id"`
	ID           string    `json:"session_access_key_id"`
	Secret       string    `json:"session_secret_access_key"`
	SessionToken string    `json:"session_token"`
	Expires      time.Time `json:"expires_at"`
}

func (s mfaSession) text() secret.Text {
	raw, _ := json.Marshal(mfaSessionText{ // strings and a time that was read from an answer: it cannot fail
		s.serial, s.user, s.keys.id, s.keys.secret.Reveal(), s.keys.token.Reveal(), s.keys.expires.UTC(),
	})
	return secret.New(string(raw))
}

// readMFASession reads a kept session. What cannot be read is as good as none.
func readMFASession(text secret.Text) mfaSession {
	var t mfaSessionText
	if json.Unmarshal([]byte(text.Reveal()), &t) != nil {
		return mfaSession{}
	}
	return mfaSession{t.Serial, t.User, keys{id: t.ID, secret: secret.New(t.Secret), token: secret.New(t.SessionToken), expires: t.Expires}}
}

const serialExample = "arn:aws:iam::123456789012:mfa/jane"

// checkSerial checks the name of a device that shows codes.
func checkSerial(text string) (string, error) {
	switch kind, _, _ := strings.Cut(afterAccount(text), "/"); {
	case !serialForm.MatchString(text):
		return "", fault.New(fault.Invalid, "%q names no MFA device: it has 9 to 256 letters, digits and _+=/:,.@-", text).Hint("it looks like %s", serialExample)
	case kind == "u2f":
		return "", fault.New(fault.Invalid, "%s is a security key, which shows no codes", text).
			Hint("AWS takes codes alone outside of its console: add a virtual device to the user, and give its ARN")
	case isARN(text) && kind != "mfa":
		return "", fault.New(fault.Invalid, "%s is not the ARN of an MFA device", text).Hint("it looks like %s", serialExample)
	}
	return text, nil
}

// afterAccount is what an ARN names; "" where the text is none.
func afterAccount(text string) string {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 {
		return parts[5]
	}
	return ""
}
