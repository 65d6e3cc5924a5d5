package clientconfig

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// AWS is aws, Terraform and all else that reads the profiles of the AWS SDKs.
const AWS = "aws"

// AWSLogin is one profile by which the SDKs of AWS shall be led to svcconn.
type AWSLogin struct {
	Profile      string // its name; "default" is the one that is taken where none is named
	Connector    string // that has the keys
	ResourceType string
	ResourceName string // "" is the one that there is
	ReadOnly     bool
	Command      string               // the absolute path of svcconn: see AWSCommand
	Says         connector.AWSProfile // what else the profile says
}

// AWSConfigFile is the file with the profiles: $AWS_CONFIG_FILE, else ~/.aws/config. It
// need not exist.
func (e Env) AWSConfigFile() string { return e.awsFile("AWS_CONFIG_FILE", "config") }

// awsCredentialsFile is the file with keys in plain text, which comes before the other.
func (e Env) awsCredentialsFile() string {
	return e.awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

func (e Env) awsFile(variable, name string) string {
	path := e.Getenv(variable)
	if rest, below := strings.CutPrefix(path, "~/"); below {
		return filepath.Join(e.Home, rest)
	}
	if path != "" {
		return path
	}
	return filepath.Join(e.Home, ".aws", name)
}

// profilePattern is what all tools take for a profile's name, without quotes.
var profilePattern = regexp.MustCompile(`^[A-Za-z0-9_./@+-]+$`)

// PlanAWSLogin plans to lead the SDKs of AWS to svcconn by the profiles. A profile of
// ours is changed where it is, a new one comes last. One with a login's name that is not
// ours is an error, and so is a section of that name in the credentials file: the SDKs
// take its keys first.
func PlanAWSLogin(env Env, logins []AWSLogin) (*Plan, error) {
	var wanted []awsProfile
	for i, l := range logins {
		if slices.ContainsFunc(logins[:i], func(other AWSLogin) bool { return other.Profile == l.Profile }) {
			return nil, fault.New(fault.Ambiguous, "two resources would both have the profile %s", l.Profile).
				Hint("log in to one of them under another name: svcconn login aws %s --connector %s --profile NAME", l.ResourceName, l.Connector)
		}
		if !profilePattern.MatchString(l.Profile) {
			return nil, fault.New(fault.Invalid, "%q cannot be the name of a profile", l.Profile).
				Hint("a profile's name is of letters, digits and . _ - / @ +")
		}
		if err := env.preferredKeys(l.Profile); err != nil {
			return nil, err
		}
		sections, err := l.sections(env.GOOS)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, sections)
	}
	p, err := newPlan(env, step{tool: AWS, path: env.AWSConfigFile(), edit: leadAWS(wanted), redacted: snapshotText.redactedAWS})
	if err == nil {
		p.notices = env.awsNotices(logins)
	}
	return p, err
}

// PlanAWSLogout plans to remove the profiles that lead to svcconn and have one of the
// names, be it the profile's or the resource's; all of them if no name is given. It
// looks in the SDKs' file and in those that a login changed.
func PlanAWSLogout(env Env, names []string) (*Plan, error) {
	pointers, err := AWSPointers(env)
	if err != nil {
		return nil, err
	}
	isProfile := func(name string) bool {
		return slices.ContainsFunc(pointers, func(p AWSPointer) bool { return p.Profile == name })
	}
	selected := func(profile, resource string) bool {
		_, bare, _ := strings.Cut(resource, "://")
		return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
			return name == profile || name != "" && (name == resource || name == bare) && !isProfile(name)
		})
	}
	var steps []step
	for _, path := range slices.Backward(env.awsPointerFiles()) {
		steps = append(steps, step{tool: AWS, path: path, undo: true, edit: releaseAWS(selected), redacted: snapshotText.redactedAWS})
	}
	return newPlan(env, steps...)
}

func (e Env) awsPointerFiles() []string {
	return append([]string{e.AWSConfigFile()}, e.journal().files(AWS)...)
}

// preferredKeys returns an error if the credentials file has the profile: its keys
// would be taken, and svcconn never asked. (It is searched rather than read, since the
// error is about nothing else.)
func (e Env) preferredKeys(profile string) error {
	found, err := read(e.awsCredentialsFile())
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(found.text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "[") {
			continue
		}
		if s, ok := headerOf(line); ok && s.name == profile && (s.kind == "" || s.kind == kindProfile) {
			return fault.New(fault.Failed, "%s has a section [%s], and its keys come before what the profile of that name in %s says", found.path, profile, e.AWSConfigFile()).
				Hint("choose another name with --profile, or remove that section if its keys are no longer wanted")
		}
	}
	return nil
}

// awsNotices tells what a profile cannot say. A command that works in sh, in cmd.exe and
// without either has no place for variables.
func (e Env) awsNotices(logins []AWSLogin) []string {
	notices := e.setupNotices("a profile")
	if len(logins) > 0 && e.GOOS == "windows" && strings.Contains(logins[0].Command, " ") {
		notices = append(notices, fmt.Sprintf("the path %s has a space, and Terraform and other programs in Go cannot start it on Windows; "+
			"install svcconn in a folder without one", logins[0].Command))
	}
	return notices
}

// AWSPointer is a profile that leads to svcconn.
type AWSPointer struct {
	File      string // the file itself, symbolic links resolved
	Profile   string
	Connector string
	Resource  string // its name; "" where the profile names none
}

// AWSPointers lists the profiles that lead to svcconn, in the SDKs' file and in those
// that a login has changed. The error is of the first file that cannot be read.
func AWSPointers(env Env) ([]AWSPointer, error) {
	pointers := map[AWSPointer]bool{}
	for _, path := range env.awsPointerFiles() {
		found, err := read(path)
		if err != nil {
			return nil, err
		}
		f, err := parseAWS(found.path, found.text)
		if err != nil {
			return nil, err
		}
		for _, s := range f.sections {
			if words := s.processWords(); words != nil {
				pointers[AWSPointer{found.path, s.name, wordAfter(words, flagConnector), wordAfter(words, flagResourceName)}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(pointers), func(a, b AWSPointer) int {
		return strings.Compare(a.File+"\x00"+a.Profile, b.File+"\x00"+b.Profile)
	}), nil
}
