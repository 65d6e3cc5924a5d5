package registry

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/tomlfile"
)

// format is the version of the files that this code writes and reads.
const format = 1

// heading begins the file of a connector that was registered.
const heading = "A connector of svcconn. This file may be edited; its secrets are elsewhere."

// encode returns the connector's file. It fails for what decode would not read back
// as it is: the rules are there, once.
func encode(c Connector, comment string) ([]byte, error) {
	var w tomlfile.Writer
	w.Comment(comment)
	w.Set("version", int64(format))
	tomlfile.SetNonZero(&w, "id", c.ID)
	tomlfile.SetNonZero(&w, "type", c.Type)
	tomlfile.SetNonZero(&w, "auth_method", c.Method)
	tomlfile.SetNonZero(&w, "resource_type", c.ResourceType)
	tomlfile.SetNonZero(&w, "resource_name", c.ResourceName)
	tomlfile.SetNonZero(&w, "description", c.Description)
	tomlfile.SetNonZero(&w, "owner", c.Owner)
	tomlfile.SetNonZero(&w, "created_at", c.CreatedAt)
	tomlfile.SetNonZero(&w, "updated_at", c.UpdatedAt)
	tomlfile.SetNonZero(&w, "expires_at", c.ExpiresAt)
	if c.SkewTolerance != nil {
		w.Set("expires_skew_tolerance", *c.SkewTolerance)
	}
	tomlfile.SetNonZero(&w, "expiration", c.Expiration)
	w.Table("labels")
	tomlfile.SetAll(&w, c.Labels)
	w.Table("configuration")
	tomlfile.SetAll(&w, c.Configuration)
	encodeSecrets(&w, c.Secrets)
	data, err := w.Bytes()
	if err != nil {
		return nil, fault.New(fault.Invalid, "%w", err)
	}
	return data, nil
}

func encodeSecrets(w *tomlfile.Writer, s SecretRef) {
	w.Table("secrets")
	tomlfile.SetNonZero(w, "store", s.Store)
	tomlfile.SetNonZero(w, "key", s.Key)
	if len(s.Fields) > 0 {
		w.Set("fields", s.Fields)
	}
	w.Table("secrets", "references")
	tomlfile.SetAll(w, s.References)
}

// decode reads a connector's file. What a hand-written file leaves out is derived:
// the id from the name, the times from when the file was modified.
func decode(name string, data []byte, modified time.Time) (Connector, error) {
	t, err := tomlfile.Parse(shownAs(name), data)
	if err != nil {
		return Connector{}, err
	}
	t.Mistake("version", versionOf(t))
	t.Require("type")
	c := Connector{
		Name:         name,
		ID:           decodeID(t, name),
		Type:         t.String("type"),
		Method:       t.String("auth_method"),
		ResourceType: t.String("resource_type"),
		ResourceName: t.String("resource_name"),
		Description:  t.String("description"),
		Owner:        t.String("owner"),
		CreatedAt:    orElse(t.Time("created_at"), modified),
		UpdatedAt:    orElse(t.Time("updated_at"), modified),
		ExpiresAt:    t.Time("expires_at"),
		Expiration:   t.Duration("expiration"),
	}
	if tolerance := t.Duration("expires_skew_tolerance"); t.Has("expires_skew_tolerance") {
		c.SkewTolerance = &tolerance
	}
	c.Labels = texts(t.Table("labels"))
	c.Configuration = configuration(t.Table("configuration"))
	c.Secrets = decodeSecrets(t.Table("secrets"), c)
	return c, t.Err()
}

func versionOf(t *tomlfile.Table) error {
	if version := t.Int("version"); version != format && t.Has("version") {
		return fault.New(fault.Invalid, "is %d, and this svcconn reads version %d", version, format).Hint("install a newer svcconn")
	}
	return nil
}

func decodeID(t *tomlfile.Table, name string) string {
	if !t.Has("id") {
		return idOfName(name)
	}
	id := t.String("id")
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != len(uuid.UUID{}.String()) {
		t.Mistake("id", fault.New(fault.Invalid, "is not a UUID").Hint("remove the line: an id is then made from the name"))
	}
	return parsed.String()
}

func orElse(moment, modified time.Time) time.Time {
	if moment.IsZero() {
		return modified.UTC()
	}
	return moment
}

// texts reads a table of strings; nil when it is empty.
func texts(t *tomlfile.Table) map[string]string {
	var all map[string]string
	for _, key := range t.Keys() {
		if all == nil {
			all = map[string]string{}
		}
		all[key] = t.String(key)
	}
	return all
}

func configuration(t *tomlfile.Table) map[string]any {
	var all map[string]any
	for _, key := range t.Keys() {
		if all == nil {
			all = map[string]any{}
		}
		switch value := t.Value(key).(type) {
		case string, bool, int64:
			all[key] = value
		case []any:
			all[key] = t.Strings(key)
		default:
			t.Mistake(key, fault.New(fault.Invalid, "must be a string, true or false, a whole number or a list of strings, not %s", field.KindOf(value)))
		}
	}
	return all
}

func decodeSecrets(t *tomlfile.Table, c Connector) SecretRef {
	references := t.Table("references")
	s := SecretRef{
		Store:      t.String("store"),
		Key:        t.String("key"),
		Fields:     t.Strings("fields"),
		References: texts(references),
	}
	if s.Store != "" || s.Key != "" || len(s.Fields) > 0 {
		t.Mistake("store", present(s.Store != ""))
		t.Mistake("key", checkKey(s.Key, c))
		t.Mistake("fields", checkFields(s.Fields))
	}
	for _, name := range references.Keys() {
		references.Mistake(name, checkReference(s, name))
	}
	return s
}

func present(ok bool) error {
	if ok {
		return nil
	}
	return fault.New(fault.Invalid, "is missing").Hint("store, key and fields go together; svcconn writes them")
}

var keyPattern = regexp.MustCompile(`^[0-9a-f-]{36}/[A-Za-z0-9-]+$`)

// checkKey sees to it that a connector has secrets of its own: who copied a file
// must not find out by deleting the copy.
func checkKey(key string, c Connector) error {
	if !keyPattern.MatchString(key) {
		return present(false)
	}
	if !strings.HasPrefix(key, c.ID+"/") {
		return fault.New(fault.Invalid, "names the secrets of another connector; the id of this one is %s", c.ID).
			Hint("remove store, key and fields from [secrets], then give the connector secrets of its own: svcconn update %s --set FIELD=-", c.Name)
	}
	return nil
}

func checkFields(fields []string) error {
	if len(fields) == 0 {
		return present(false)
	}
	sorted := slices.Sorted(slices.Values(fields))
	if sorted[0] == "" || len(slices.Compact(sorted)) != len(fields) {
		return fault.New(fault.Invalid, "has an empty or repeated field")
	}
	return nil
}

// checkReference refuses whatever is not a reference, without quoting it: it may be
// a secret that somebody put where it does not belong.
func checkReference(s SecretRef, field string) error {
	if slices.Contains(s.Fields, field) {
		return fault.New(fault.Invalid, "the field is in secrets.fields too").Hint("remove it from one of them")
	}
	kind, rest, _ := strings.Cut(s.References[field], ":")
	if rest == "" || !slices.Contains([]string{"env", "file", "cmd"}, kind) {
		return fault.New(fault.Invalid, "must be a reference to a secret").
			Hint("write env:NAME, file:PATH or cmd:COMMAND; a secret itself is never in this file: svcconn update NAME --set %s=-", field)
	}
	return nil
}

// storable returns the file for a connector, after reading it back.
func storable(c Connector, comment string) ([]byte, error) {
	data, err := encode(c, comment)
	if err != nil {
		return nil, fault.Within(err, "connector %s", c.Name)
	}
	back, err := decode(c.Name, data, time.Time{})
	if err == nil && !same(back, c) {
		err = fault.New(fault.Invalid, "its file would not say what it is")
	}
	return data, fault.Within(err, "connector %s", c.Name)
}

// same reports whether two connectors have the same file.
func same(a, b Connector) bool {
	x, errX := encode(a, "")
	y, errY := encode(b, "")
	return a.Name == b.Name && errX == nil && errY == nil && bytes.Equal(x, y)
}
