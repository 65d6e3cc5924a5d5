package awstest

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// parameter is what a text parameter of STS may be. Lengths are in characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
type parameter struct {
	name     string // as it is sent
	member   string // as errors have it
	min, max int
	format   *regexp.Regexp
	required bool
}

var (
	nameFormat = regexp.MustCompile(`^[\w+=,.@-]*$`)

	roleArnParameter        = parameter{"RoleArn", "roleArn", 20, 2048, regexp.MustCompile(`^[\x{9}\x{a}\x{d}\x{20}-\x{7e}\x{85}\x{a0}-\x{d7ff}\x{e000}-\x{fffd}\x{10000}-\x{10ffff}]+$`), true}
	roleSessionParameter    = parameter{"RoleSessionName", "roleSessionName", 2, 64, nameFormat, true}
	federationNameParameter = parameter{"Name", "name", 2, 32, nameFormat, true}
	externalIDParameter     = parameter{"ExternalId", "externalId", 2, 1224, regexp.MustCompile(`^[\w+=,.@:/-]*$`), false}
	sourceIdentityParameter = parameter{"SourceIdentity", "sourceIdentity", 2, 64, nameFormat, false}
	serialParameter         = parameter{"SerialNumber", "serialNumber", 9, 256, regexp.MustCompile(`^[\w+=/:,.@-]*$`), false}
	tokenCodeParameter      = parameter{"TokenCode", "tokenCode", 6, 6, regexp.MustCompile(`^\d*$`), false}
	webTokenParameter       = parameter{"WebIdentityToken", "webIdentityToken", 4, 20000, regexp.MustCompile(`(?s)^.*$`), true}
	policyParameter         = parameter{"Policy", "policy", 1, 2048, regexp.MustCompile(`^[\x{9}\x{a}\x{d}\x{20}-\x{ff}]+$`), false}
)

// text reads a parameter; "" is one that is not there.
func (r *request) text(p parameter) (string, error) {
	value, there := r.form.Get(p.name), r.form.Has(p.name)
	length := utf8.RuneCountInString(value)
	constraint := ""
	switch {
	case !there && !p.required:
		return "", nil
	case !there:
		return "", invalid("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", p.member)
	case len(r.form[p.name]) > 1:
		return "", invalid("MalformedInput", "Parameter %s is there more than once", p.name)
	case length < p.min:
		constraint = fmt.Sprintf("Member must have length greater than or equal to %d", p.min)
	case length > p.max:
		constraint = fmt.Sprintf("Member must have length less than or equal to %d", p.max)
	case !p.format.MatchString(value):
		constraint = "Member must satisfy regular expression pattern: " + p.format.String()
	default:
		return value, nil
	}
	return "", violated(value, p.member, constraint)
}

func violated(value, member, constraint string) error {
	return invalid("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// shortestSession is the least that a session may be asked to last.
const shortestSession = 15 * time.Minute

// duration reads DurationSeconds, whose default is fallback.
func (r *request) duration(fallback, longest time.Duration) (time.Duration, error) {
	text := r.form.Get("DurationSeconds")
	if text == "" {
		return fallback, nil
	}
	seconds, err := strconv.Atoi(text)
	d := time.Duration(seconds) * time.Second
	switch {
	case err != nil:
		return 0, invalid("MalformedInput", "%q is not a whole number", text)
	case d < shortestSession:
		return 0, violated(text, "durationSeconds", fmt.Sprintf("Member must have value greater than or equal to %d", int(shortestSession.Seconds())))
	case d > longest:
		return 0, violated(text, "durationSeconds", fmt.Sprintf("Member must have value less than or equal to %d", int(longest.Seconds())))
	}
	return d, nil
}

// members reads a list of the query protocol: Prefix.member.1 and on, without gaps.
func (r *request) members(prefix, suffix string) []string {
	var out []string
	for i := 1; ; i++ {
		name := prefix + ".member." + strconv.Itoa(i) + suffix
		if !r.form.Has(name) {
			return out
		}
		out = append(out, r.form.Get(name))
	}
}
