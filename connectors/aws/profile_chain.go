package aws

import (
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// origin is where the first keys of a profile come from.
type origin int

const (
	fromKeys        origin = iota // the profile has them itself
	fromSSO                       // IAM Identity Center
	fromWebIdentity               // a role assumed with a token that lies in a file
	fromProcess                   // a program prints them
	fromEnvironment               // credential_source says so, each of the last three
	fromContainer
	fromInstance
)

// chain is how a profile logs in: first keys, and the roles that are assumed one after the
// other with them.
type chain struct {
	top    *profile // the one that was asked for
	base   *profile // the one that has the first keys
	origin origin
	sso    ssoPlace // with fromSSO
	roles  []profileRole
}

// profileRole is a role that a profile assumes.
type profileRole struct {
	profile     *profile
	arn         string
	externalID  string
	mfaSerial   string
	sessionName string
	lifetime    time.Duration // 0 is the default
}

// ssoPlace is the use of IAM Identity Center that a profile makes.
type ssoPlace struct {
	session  string // the name of its sso-session; "" where the profile says all itself
	startURL string
	region   string
	account  string
	role     string
	scopes   []string
}

// credentialSources are the values of credential_source.
var credentialSources = map[string]origin{"Environment": fromEnvironment, "EcsContainer": fromContainer, "Ec2InstanceMetadata": fromInstance}

// chain follows a profile to its first keys, as the AWS CLI does.
func (f *sharedFiles) chain(name string) (chain, error) {
	p, err := f.find(name)
	if err != nil {
		return chain{}, err
	}
	c := chain{top: p}
	way := []string{name}
	for p.assumesRole() && (p == c.top || !p.hasKeys()) {
		role, err := p.role()
		if err != nil {
			return chain{}, err
		}
		c.roles = slices.Insert(c.roles, 0, role)
		next := p.values["source_profile"]
		switch {
		case next == "":
			return c.from(p, credentialSources[p.values["credential_source"]])
		case next == p.name && p.hasKeys():
			return c.from(p, fromKeys)
		case slices.Contains(way, next):
			return chain{}, p.refuse("ends where it began: %s", hop.OneLine(strings.Join(append(way, next), " → "))).
				Hint("one of them needs keys of its own in place of source_profile")
		}
		way = append(way, next)
		source, err := f.find(next)
		if err != nil {
			return chain{}, within(err, p, "source_profile")
		}
		p = source
	}
	return f.login(c, p)
}

func (c chain) from(base *profile, o origin) (chain, error) {
	c.base, c.origin = base, o
	return c, nil
}

// login tells where the keys of a profile come from that assumes no role with those of
// another.
func (f *sharedFiles) login(c chain, p *profile) (chain, error) {
	switch {
	case p.values["web_identity_token_file"] != "":
		role, err := p.role()
		if err != nil {
			return chain{}, err
		}
		c.roles = slices.Insert(c.roles, 0, role)
		return c.from(p, fromWebIdentity)
	case p.usesSSO():
		place, err := f.ssoPlace(p)
		if err != nil {
			return chain{}, err
		}
		c.sso = place
		return c.from(p, fromSSO)
	case p.hasKeys():
		return c.from(p, fromKeys)
	case p.leadsHere():
		return chain{}, p.refuse("has its keys from svcconn, which would ask itself for them").
			Hint("name the profile that the login itself is in")
	case p.values["credential_process"] != "":
		return c.from(p, fromProcess)
	case p.values["login_session"] != "":
		return chain{}, p.refuse("has a login of `aws login`, which the AWS CLI alone can use").
			Hint("have the CLI hand its keys out: a profile with credential_process = aws configure export-credentials --profile %s --format process", hop.OneLine(p.name))
	}
	return chain{}, fault.New(fault.NotFound, "profile %q in %s has no login", p.name, strings.Join(f.present, " and ")).
		Hint("it needs an access key, an SSO session, a role with source_profile, a credential_process or a web_identity_token_file")
}

// hasKeys reports whether a profile has an access key, or half of one.
func (p *profile) hasKeys() bool {
	return p.values["aws_access_key_id"] != "" || p.values["aws_secret_access_key"] != ""
}

// leadsHere reports whether a profile runs svcconn, as a login of aws writes it.
func (p *profile) leadsHere() bool {
	words, err := p.process()
	if err != nil || len(words) < 2 || words[1] != "credential" {
		return false
	}
	program := strings.ToLower(filepath.Base(words[0]))
	return strings.TrimSuffix(program, ".exe") == "svcconn"
}

// process is the words of a profile's credential process.
func (p *profile) process() ([]string, error) {
	command := p.values["credential_process"]
	if runtime.GOOS == "windows" { // where they separate folders
		command = strings.ReplaceAll(command, `\`, `\\`)
	}
	return hop.SplitWords(command)
}

func (p *profile) usesSSO() bool {
	return slices.ContainsFunc([]string{"sso_session", "sso_start_url", "sso_account_id", "sso_role_name"}, func(key string) bool { return p.values[key] != "" })
}

// assumesRole reports whether a profile is a role that is assumed with other keys.
func (p *profile) assumesRole() bool {
	return p.values["web_identity_token_file"] == "" &&
		(p.values["role_arn"] != "" || p.values["source_profile"] != "" || p.values["credential_source"] != "")
}

// The lifetimes that a role can be asked for.
const (
	leastRole = 15 * time.Minute
	mostRole  = 12 * time.Hour
)

// role reads the role of a profile, and checks that it is clear whose keys assume it.
func (p *profile) role() (profileRole, error) {
	v := p.values
	_, known := credentialSources[v["credential_source"]]
	switch {
	case v["role_arn"] == "":
		return profileRole{}, p.refuse("has no role_arn, and says with what to assume it")
	case v["source_profile"] != "" && v["credential_source"] != "":
		return profileRole{}, p.refuse("has both source_profile and credential_source").Hint("leave one of the two out")
	case v["credential_source"] != "" && !known:
		return profileRole{}, p.refuse("has a credential_source that is none").Hint("there are: Ec2InstanceMetadata, EcsContainer, Environment")
	case v["source_profile"] == "" && v["credential_source"] == "" && v["web_identity_token_file"] == "":
		return profileRole{}, p.refuse("has a role_arn, and does not say with whose keys to assume it").Hint("write source_profile = NAME beside it")
	}
	role := profileRole{profile: p, arn: v["role_arn"], externalID: v["external_id"], mfaSerial: v["mfa_serial"], sessionName: v["role_session_name"]}
	if text := v["duration_seconds"]; text != "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		role.lifetime = time.Duration(seconds) * time.Second
		if err != nil || role.lifetime < leastRole || role.lifetime > mostRole {
			return profileRole{}, p.refuse("has a duration_seconds that is not between 900 and 43200")
		}
	}
	return role, nil
}

// ssoPlace reads how a profile uses IAM Identity Center.
func (f *sharedFiles) ssoPlace(p *profile) (ssoPlace, error) {
	v := p.values
	place := ssoPlace{session: v["sso_session"], startURL: v["sso_start_url"], region: v["sso_region"], account: v["sso_account_id"], role: v["sso_role_name"]}
	if place.session != "" {
		s := f.others["sso-session "+place.session]
		if s == nil {
			return ssoPlace{}, p.refuse("has the sso_session %q, which is not there", place.session).
				Hint("it begins with [sso-session %s]; `aws configure sso-session` makes it", hop.OneLine(place.session))
		}
		for _, key := range []string{"sso_start_url", "sso_region"} {
			if v[key] != "" && v[key] != s.values[key] {
				return ssoPlace{}, p.refuse("has another %s than its sso_session %q", key, place.session)
			}
		}
		place.startURL, place.region = s.values["sso_start_url"], s.values["sso_region"]
		place.scopes = listed(s.values["sso_registration_scopes"])
	}
	for i, value := range []string{place.startURL, place.region, place.account, place.role} {
		if value == "" {
			return ssoPlace{}, p.refuse("uses IAM Identity Center, and has no %s", []string{"sso_start_url", "sso_region", "sso_account_id", "sso_role_name"}[i]).
				Hint("`aws configure sso --profile %s` completes it", hop.OneLine(p.name))
		}
	}
	return place, nil
}

// listed is what stands between commas.
func listed(text string) []string {
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
