package clientconfig

import "strings"

// The kinds of sections in ~/.aws/config that matter here, and the name of the profile
// that needs none.
const (
	kindProfile  = "profile"
	kindServices = "services"
	nameDefault  = "default"
)

// awsFile is a configuration file of the AWS SDKs. What it takes for a section, botocore
// (Python's configparser) and the SDK for Go take for one too.
type awsFile struct{ iniFile }

// parseAWS refuses what the tools do not read, or read in different ways. Its errors
// name file and line and never quote the file, which may hold keys.
func parseAWS(file string, text []byte) (*awsFile, error) {
	f := &awsFile{iniFile{file: file, reader: AWS, text: text, exists: text != nil, header: headerOf}}
	return f, f.parse()
}

// headerOf reads "[profile name]", and [default] for the profile of that name, with or without quotes, and a comment behind it.
func headerOf(text string) (iniSection, bool) {
	inside, behind, closed := strings.Cut(text[1:], "]")
	inside, behind = strings.TrimSpace(inside), strings.TrimSpace(behind)
	if !closed || inside == "" || strings.Contains(behind, "]") || behind != "" && !isComment(behind) {
		return iniSection{}, false
	}
	first := strings.IndexAny(inside, " \t")
	switch {
	case inside == nameDefault:
		return iniSection{kind: kindProfile, name: inside}, true
	case first < 0:
		return iniSection{name: inside}, true
	}
	name := strings.TrimSpace(inside[first:])
	if n := len(name); n > 1 && (name[0] == '"' || name[0] == '\'') && name[n-1] == name[0] {
		name = name[1 : n-1]
	}
	return iniSection{kind: inside[:first], name: name}, true
}
