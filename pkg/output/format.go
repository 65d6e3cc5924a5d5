// Package output prints what commands list and describe: as a table for people,
// as JSON, YAML or CSV for programs, or as bare names for a shell. One declaration
// of columns serves the table, the CSV and the names.
//
// It refuses to let data steer a terminal: whatever a service answered, control
// characters come out as visible escapes. It does not look at the process either;
// what the terminal can do is told to it in a Style.
package output

import (
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// Format is how results are printed.
type Format string

// The formats.
const (
	Table Format = "table"
	JSON  Format = "json"
	YAML  Format = "yaml"
	CSV   Format = "csv"
	Name  Format = "name"
)

// Formats lists the names of all formats.
func Formats() []string {
	return []string{string(Table), string(JSON), string(YAML), string(CSV), string(Name)}
}

// ParseFormat reads a format's name; "" is Table. Others are fault.Invalid.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return Table, nil
	}
	if slices.Contains(Formats(), name) {
		return Format(name), nil
	}
	err := fault.New(fault.Invalid, "unknown output format %q", name)
	if near := field.Nearest(name, Formats()); near != "" {
		return "", err.Hint("did you mean %q? There are: %s", near, strings.Join(Formats(), ", "))
	}
	return "", err.Hint("there are: %s", strings.Join(Formats(), ", "))
}
