package connector

import (
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// Types is the connector types of a program, in the order of their listing. It is
// a value: whoever builds one decides what there is.
type Types []*Type

// NewTypes checks that the types are well formed and returns them. A mistake in a
// declaration is a bug, found by the first test that runs: it panics.
func NewTypes(types ...*Type) Types {
	seen := map[string]bool{}
	for _, t := range types {
		if seen[t.Name] {
			panic("connector type declared twice: " + t.Name)
		}
		seen[t.Name] = true
		if err := t.wellFormed(); err != nil {
			panic("connector type " + t.Name + ": " + err.Error())
		}
	}
	return types
}

func (t *Type) wellFormed() error {
	if t.Name == "" || t.Title == "" || t.Doc == "" || t.Open == nil || len(t.Methods) == 0 || len(t.Resources) == 0 {
		return fmt.Errorf("name, title, doc, open, methods and resources must all be there")
	}
	seen := map[string]bool{}
	for _, m := range t.Methods {
		if m.Name == "" || m.Title == "" || m.Doc == "" || seen["m:"+m.Name] {
			return fmt.Errorf("auth method %q is incomplete or declared twice", m.Name)
		}
		seen["m:"+m.Name] = true
		fields := map[string]bool{}
		for _, f := range m.Fields {
			info := f.Info()
			if info.Name == "" || info.Title == "" || info.Help == "" || fields[info.Name] {
				return fmt.Errorf("field %q of auth method %q is incomplete or declared twice", info.Name, m.Name)
			}
			fields[info.Name] = true
		}
	}
	for _, r := range t.Resources {
		if r.Name == "" || r.Title == "" || r.Doc == "" || r.Parse == nil || seen["r:"+r.Name] {
			return fmt.Errorf("resource type %q is incomplete or declared twice", r.Name)
		}
		seen["r:"+r.Name] = true
	}
	return nil
}

// Find returns the type of that name. The error is fault.NotFound with the likely
// intended name or all names.
func (ts Types) Find(name string) (*Type, error) {
	for _, t := range ts {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, unknown("connector type", name, ts.names())
}

func (ts Types) names() []string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.Name
	}
	return names
}

// ResourceTypes lists the names of all resource types, each once, in order.
func (ts Types) ResourceTypes() []string {
	var names []string
	seen := map[string]bool{}
	for _, t := range ts {
		for _, r := range t.Resources {
			if !seen[r.Name] {
				seen[r.Name] = true
				names = append(names, r.Name)
			}
		}
	}
	return names
}

// FindResource checks that some type has the resource type.
func (ts Types) FindResource(name string) error {
	names := ts.ResourceTypes()
	for _, known := range names {
		if known == name {
			return nil
		}
	}
	return unknown("resource type", name, names)
}

// Method returns the auth method of that name; "" is the only one there is.
func (t *Type) Method(name string) (*AuthMethod, error) {
	if name == "" && len(t.Methods) == 1 {
		return &t.Methods[0], nil
	}
	if name == "" {
		return nil, fault.New(fault.Invalid, "connector type %s has several auth methods and none was named", t.Name).
			Hint("add --auth-method with one of: %s", strings.Join(t.MethodNames(), ", "))
	}
	for i := range t.Methods {
		if t.Methods[i].Name == name {
			return &t.Methods[i], nil
		}
	}
	return nil, unknown("auth method of connector type "+t.Name, name, t.MethodNames())
}

// MethodNames lists the auth methods in order.
func (t *Type) MethodNames() []string {
	names := make([]string, len(t.Methods))
	for i, m := range t.Methods {
		names[i] = m.Name
	}
	return names
}

// Resource returns the resource type of that name.
func (t *Type) Resource(name string) (*ResourceType, error) {
	for i := range t.Resources {
		if t.Resources[i].Name == name {
			return &t.Resources[i], nil
		}
	}
	return nil, unknown("resource type of connector type "+t.Name, name, t.ResourceNames())
}

// ResourceNames lists the resource types in order.
func (t *Type) ResourceNames() []string {
	names := make([]string, len(t.Resources))
	for i, r := range t.Resources {
		names[i] = r.Name
	}
	return names
}

// Where names an auth method of the type in errors about its fields.
func (t *Type) Where(m *AuthMethod) string {
	return fmt.Sprintf("auth method %s of connector type %s", m.Name, t.Name)
}

func unknown(what, name string, names []string) *fault.Error {
	err := fault.New(fault.NotFound, "unknown %s %q", what, name)
	if near := field.Nearest(name, names); near != "" {
		return err.Hint("did you mean %q? There are: %s", near, strings.Join(names, ", "))
	}
	return err.Hint("there are: %s", strings.Join(names, ", "))
}
