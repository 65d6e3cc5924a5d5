package connector

import (
	"strconv"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// Spec is what a person or a file says of a connector, not checked yet.
type Spec struct {
	Type         string
	Method       string // "" is the type's only one
	ResourceType string // "" is all of the type's
	ResourceName string // "" is every one that is reached
	Values       field.Values
	Expiration   time.Duration // lifetime to ask for; 0 is the method's default
}

// Settings are a checked Spec: what a session is opened with.
type Settings struct {
	Type         *Type
	Method       *AuthMethod
	ResourceType string // "" is all of the type's
	ResourceName string // canonical; "" is every one that is reached
	Values       field.Values
	Expiration   time.Duration
}

// Scope is what a connector covers.
type Scope string

// The scopes. A connector of a type with one resource type is never MultiType.
const (
	MultiType      Scope = "multi-type"      // all resource types of its type
	MultiInstance  Scope = "multi-instance"  // all resources of one resource type
	SingleInstance Scope = "single-instance" // one resource
)

// Check turns a Spec into Settings, or says what is wrong with it and what would
// be right. All errors are fault.Invalid: they come before anything is stored.
func (ts Types) Check(spec Spec) (Settings, error) {
	settings, err := ts.check(spec, field.Set.Complete)
	if fault.Is(err, fault.NotFound) { // an unknown word in a request is a bad request
		return settings, fault.New(fault.Invalid, "%w", err).Hint("%s", fault.HintOf(err))
	}
	return settings, err
}

// CheckWithoutSecrets is Check for a connector whose secrets stay in the secret
// store: stored names those that are there.
func (ts Types) CheckWithoutSecrets(spec Spec, stored []string) (Settings, error) {
	return ts.check(spec, func(s field.Set, values field.Values, where string) (field.Values, error) {
		return s.CompleteStored(values, stored, where)
	})
}

func (ts Types) check(spec Spec, complete func(field.Set, field.Values, string) (field.Values, error)) (Settings, error) {
	t, err := ts.Find(spec.Type)
	if err != nil {
		return Settings{}, err
	}
	method, err := t.Method(spec.Method)
	if err != nil {
		return Settings{}, err
	}
	values, err := complete(method.Fields, spec.Values, t.Where(method))
	if err != nil {
		return Settings{}, err
	}
	if err := method.Lifetime.check(spec.Expiration, t.Where(method)); err != nil {
		return Settings{}, err
	}
	settings := Settings{Type: t, Method: method, Values: values, Expiration: spec.Expiration}
	return settings.scoped(spec.ResourceType, spec.ResourceName)
}

func (b TTLBounds) check(lifetime time.Duration, where string) error {
	switch {
	case lifetime == 0:
		return nil
	case b == TTLBounds{}:
		return fault.New(fault.Invalid, "%s takes no expiration: it hands out what it was given", where).Hint("leave --expiration out")
	case lifetime < b.Min:
		return fault.New(fault.Invalid, "the expiration %s is below the least that %s grants, %s", lifetime, where, b.Min).Hint("give --expiration %s or more", b.Min)
	case b.Max != 0 && lifetime > b.Max:
		return fault.New(fault.Invalid, "the expiration %s is above the most that %s grants, %s", lifetime, where, b.Max).Hint("give --expiration %s or less", b.Max)
	}
	return nil
}

// scoped sets the resource type and name of a connector.
func (s Settings) scoped(resourceType, name string) (Settings, error) {
	if resourceType == "" && len(s.Type.Resources) == 1 {
		resourceType = s.Type.Resources[0].Name
	}
	if resourceType == "" {
		if name != "" {
			return s, fault.New(fault.Invalid, "the resource name %q is given without its resource type", name).
				Hint("add --resource-type with one of: %s", strings.Join(s.Type.ResourceNames(), ", "))
		}
		return s, nil
	}
	r, err := s.Type.Resource(resourceType)
	if err != nil {
		return s, err
	}
	s.ResourceType = r.Name
	own := ""
	if !r.Instances && r.Default != nil {
		own = r.Default(s.Values)
	}
	if name == "" {
		s.ResourceName = own
		return s, nil
	}
	if s.ResourceName, err = r.Canonical(s.Values, name); err == nil && own != "" && s.ResourceName != own {
		err = fault.New(fault.Invalid, "the resource name %q is not what the fields of the connector reach, %q", name, own).
			Hint("leave --resource-name out, or change the fields")
	}
	return s, err
}

// Canonical is Parse with the accepted formats in its error.
func (r *ResourceType) Canonical(values field.Values, name string) (string, error) {
	canonical, err := r.Parse(values, name)
	if err != nil {
		if !strings.Contains(err.Error(), strconv.Quote(name)) {
			err = fault.Within(err, "resource name %q", name)
		}
		return "", fault.WithHint(err, "names of resource type %s: %s", r.Name, strings.Join(r.Formats, "; "))
	}
	return canonical, nil
}

// Scope is what the connector covers.
func (s Settings) Scope() Scope {
	if s.ResourceType == "" {
		return MultiType
	}
	r, err := s.Type.Resource(s.ResourceType)
	if err == nil && r.Instances && s.ResourceName == "" {
		return MultiInstance
	}
	return SingleInstance
}

// ResourceTypes lists the resource types that the connector covers.
func (s Settings) ResourceTypes() []string {
	if s.ResourceType != "" {
		return []string{s.ResourceType}
	}
	return s.Type.ResourceNames()
}

// Covers reports whether the connector covers a resource type.
func (s Settings) Covers(resourceType string) bool {
	_, err := s.Type.Resource(resourceType)
	return err == nil && (s.ResourceType == "" || s.ResourceType == resourceType)
}

// Target completes and checks what a consumer asks a connector for: the resource
// type may be left out where the connector covers one, the name where it covers
// one resource. The name comes back canonical; it is "" only for a resource type
// without instances whose one name only the service knows. What is outside the
// scope is fault.Invalid, and says what is inside.
func (s Settings) Target(resourceType, name string) (*ResourceType, string, error) {
	r, err := s.targetType(resourceType, name)
	if err != nil {
		return nil, "", err
	}
	own := s.ResourceName
	if own == "" && !r.Instances && r.Default != nil {
		own = r.Default(s.Values)
	}
	if name == "" {
		if own == "" && r.Instances {
			return nil, "", fault.New(fault.Invalid, "the connector reaches more than one %s and none was named", r.Name).
				Hint("add --resource-name; `svcconn list-resources --resource-type %s` lists them", r.Name)
		}
		return r, own, nil
	}
	canonical, err := r.Canonical(s.Values, name)
	if err != nil {
		return nil, "", err
	}
	if own != "" && canonical != own {
		return nil, "", fault.New(fault.Invalid, "the connector only reaches the %s %q, not %q", r.Name, own, canonical).
			Hint("leave the resource name out, or use a connector that reaches %q", canonical)
	}
	return r, canonical, nil
}

func (s Settings) targetType(resourceType, name string) (*ResourceType, error) {
	switch {
	case resourceType == "" && s.ResourceType != "":
		resourceType = s.ResourceType
	case resourceType == "" && name != "":
		return nil, fault.New(fault.Invalid, "the resource name %q is given without its resource type", name).
			Hint("add --resource-type with one of: %s", strings.Join(s.Type.ResourceNames(), ", "))
	case resourceType == "":
		return nil, fault.New(fault.Invalid, "the connector reaches several resource types and none was named").
			Hint("add --resource-type with one of: %s", strings.Join(s.Type.ResourceNames(), ", "))
	case s.ResourceType != "" && resourceType != s.ResourceType:
		return nil, fault.New(fault.Invalid, "the connector reaches resources of type %s, not %s", s.ResourceType, resourceType).
			Hint("leave --resource-type out, or say --resource-type %s", s.ResourceType)
	}
	return s.Type.Resource(resourceType)
}
