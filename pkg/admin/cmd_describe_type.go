package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/output"
)

func describeTypeCommand() command {
	return command{
		name:    "describe-type",
		group:   groupTypes,
		summary: "show the documentation of a connector type",
		doc:     "Shows what a connector type is for, how it authenticates and what it gives access to. With --resource-type or --auth-method it shows one of its resource types, or one of its auth methods with all its fields.",
		args:    []argument{{name: typeWord}},
		flags: printing(
			resourceTypeFlag.described("describe this resource type"),
			authMethodFlag.described("describe this auth method and its fields"),
		),
		examples: []example{
			{"what the connector type docker is", "svcconn describe-type docker"},
			{"the fields that its auth method takes", "svcconn describe-type docker --auth-method password"},
			{"how its resources are named", "svcconn describe-type docker --resource-type docker-registry"},
		},
		run: describeType,
	}
}

func describeType(_ context.Context, in invocation) error {
	p, err := in.printer()
	if err != nil {
		return err
	}
	t, err := in.types.Find(in.args[0])
	if err != nil {
		return err
	}
	resource, method := in.text(resourceTypeFlag.name), in.text(authMethodFlag.name)
	switch {
	case resource != "" && method != "":
		return fault.New(fault.Invalid, "--resource-type and --auth-method exclude each other").Hint("ask for one at a time")
	case resource != "":
		r, err := t.Resource(resource)
		if err != nil {
			return err
		}
		return p.Describe(output.Description{Name: r.Name, Value: newResourceDoc(t, r), View: resourcePage(t, r)})
	case method != "":
		m, err := t.Method(method)
		if err != nil {
			return err
		}
		return p.Describe(output.Description{Name: m.Name, Value: newMethodDoc(t, m), View: methodPage(m)})
	}
	return p.Describe(output.Description{Name: t.Name, Value: newTypeDoc(t), View: typePage(t)})
}

// typeDoc is the JSON of a connector type.
type typeDoc struct {
	typeRow
	AutoConfiguration bool          `json:"auto_configuration"`
	Description       string        `json:"description"`
	Resources         []resourceDoc `json:"resource_type_details"`
	Methods           []methodDoc   `json:"auth_method_details"`
}

func newTypeDoc(t *connector.Type) typeDoc {
	doc := typeDoc{typeRow: newTypeRow(t), AutoConfiguration: t.Detect != nil, Description: t.Doc}
	for i := range t.Resources {
		doc.Resources = append(doc.Resources, newResourceDoc(t, &t.Resources[i]))
	}
	for i := range t.Methods {
		doc.Methods = append(doc.Methods, newMethodDoc(t, &t.Methods[i]))
	}
	return doc
}

// resourceDoc is the JSON of a resource type of a connector type.
type resourceDoc struct {
	Type         string   `json:"type"`
	ResourceType string   `json:"resource_type"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	AuthMethods  []string `json:"auth_methods"`
	Instances    bool     `json:"instances"`
	Formats      []string `json:"formats"`
	Permissions  []string `json:"permissions"`
}

func newResourceDoc(t *connector.Type, r *connector.ResourceType) resourceDoc {
	return resourceDoc{
		Type: t.Name, ResourceType: r.Name, Name: r.Title, Description: r.Doc, AuthMethods: t.MethodNames(),
		Instances: r.Instances, Formats: present(r.Formats), Permissions: present(r.Permissions),
	}
}

// methodDoc is the JSON of an auth method of a connector type.
type methodDoc struct {
	Type        string         `json:"type"`
	AuthMethod  string         `json:"auth_method"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Temporary   bool           `json:"temporary"`
	Expiration  *expirationDoc `json:"expiration"`
	Fields      []fieldDoc     `json:"fields"`
}

// expirationDoc is the bounds of --expiration, as Go writes durations.
type expirationDoc struct {
	Min     string `json:"min"`
	Default string `json:"default"`
	Max     string `json:"max"` // "0s" where the service sets it
}

func newMethodDoc(t *connector.Type, m *connector.AuthMethod) methodDoc {
	doc := methodDoc{Type: t.Name, AuthMethod: m.Name, Name: m.Title, Description: m.Doc, Temporary: m.Temporary, Fields: []fieldDoc{}}
	if l := m.Lifetime; l != (connector.TTLBounds{}) {
		doc.Expiration = &expirationDoc{l.Min.String(), l.Default.String(), l.Max.String()}
	}
	for _, f := range m.Fields {
		doc.Fields = append(doc.Fields, newFieldDoc(f.Info()))
	}
	return doc
}

// fieldDoc is the JSON of a field.
type fieldDoc struct {
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	Help     string     `json:"help"`
	Kind     field.Kind `json:"kind"`
	Secret   bool       `json:"secret"`
	Required bool       `json:"required"`
	Default  *string    `json:"default"`
	Example  *string    `json:"example"`
	Choices  []string   `json:"choices"`
}

func newFieldDoc(info field.Info) fieldDoc {
	return fieldDoc{
		Name: info.Name, Title: info.Title, Help: info.Help, Kind: info.Kind, Secret: info.Secret(), Required: info.Required,
		Default: orNull(info.Default), Example: orNull(info.Example), Choices: present(info.Choices),
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// present is a list that JSON writes as [] when it is empty.
func present(list []string) []string { return append([]string{}, list...) }

func typePage(t *connector.Type) output.Page {
	methods := output.Points{Heading: "Authentication methods"}
	shared := sharedFields(t)
	for _, m := range t.Methods {
		methods.Items = append(methods.Items, output.Point{
			Text:   output.Text{Value: m.Name, Icon: methodIcon},
			Detail: []string{m.Title + fieldsBeside(&m, shared)},
		})
	}
	if len(shared) > 0 {
		methods.Items = append(methods.Items, output.Point{
			Text: output.Text{Value: "all of them"}, Detail: []string{"Fields: " + strings.Join(shared, ", ") + "."},
		})
	}
	resources := output.Points{Heading: "Resource types"}
	for _, text := range resourceTypeTexts(t) {
		resources.Items = append(resources.Items, output.Point{Text: text})
	}
	return output.Page{
		Icon: t.Icon, Title: fmt.Sprintf("%s (connector type: %s)", t.Title, t.Name),
		Parts: []output.Part{
			methods,
			resources,
			output.Facts{
				{Name: "Supports auto-configuration", Value: output.YesNo(t.Detect != nil)},
				{Name: "Available locally", Value: output.YesNo(true)},
				{Name: "Available remotely", Value: output.YesNo(true)},
			},
			output.Prose(t.Doc),
			output.Prose(fmt.Sprintf("`svcconn describe-type %s --auth-method METHOD` describes the fields.", t.Name)),
		},
	}
}

// sharedFields are the names of the fields that all of several auth methods have.
func sharedFields(t *connector.Type) []string {
	if len(t.Methods) < 2 {
		return nil
	}
	return slices.DeleteFunc(t.Methods[0].Fields.Names(), func(name string) bool {
		return slices.ContainsFunc(t.Methods, func(m connector.AuthMethod) bool {
			_, ok := m.Fields.Find(name)
			return !ok
		})
	})
}

// fieldsBeside tells of the fields that are an auth method's own.
func fieldsBeside(m *connector.AuthMethod, shared []string) string {
	own := slices.DeleteFunc(m.Fields.Names(), func(name string) bool { return slices.Contains(shared, name) })
	if len(own) == 0 {
		return "."
	}
	return ". Fields: " + strings.Join(own, ", ") + "."
}

func resourcePage(t *connector.Type, r *connector.ResourceType) output.Page {
	page := output.Page{
		Icon: r.Icon, Title: fmt.Sprintf("%s (resource type: %s)", r.Title, r.Name),
		Parts: []output.Part{
			output.Facts{
				{Name: "Authentication methods", Value: output.Lines(t.MethodNames()...)},
				{Name: "Supports resource instances", Value: output.YesNo(r.Instances)},
			},
			output.Prose(r.Doc),
		},
	}
	if len(r.Permissions) > 0 {
		page.Parts = append(page.Parts, points("The credentials must at least be allowed", r.Permissions))
	}
	if len(r.Formats) > 0 {
		page.Parts = append(page.Parts, points("The resource name is written in one of these forms", r.Formats))
	}
	return page
}

func methodPage(m *connector.AuthMethod) output.Page {
	facts := output.Facts{{Name: "Issues temporary credentials", Value: output.YesNo(m.Temporary)}}
	if l := m.Lifetime; l != (connector.TTLBounds{}) {
		facts = append(facts, output.Property{Name: "Expiration", Value: output.Line(lifetime(l))})
	}
	fields := output.Points{Heading: "Fields"}
	for _, f := range m.Fields {
		fields.Items = append(fields.Items, fieldPoint(f.Info()))
	}
	return output.Page{
		Icon: methodIcon, Title: fmt.Sprintf("%s (auth method: %s)", m.Title, m.Name),
		Parts: []output.Part{facts, output.Prose(m.Doc), fields},
	}
}

// lifetime is what --expiration may be, in words.
func lifetime(l connector.TTLBounds) string {
	most := "the most that the service grants"
	if l.Max > 0 {
		most = output.Span(l.Max)
	}
	return fmt.Sprintf("from %s to %s, %s by default", output.Span(l.Min), most, output.Span(l.Default))
}

func fieldPoint(info field.Info) output.Point {
	need := "optional"
	if info.Required {
		need = "required"
	}
	point := output.Point{
		Text:   output.Text{Value: fmt.Sprintf("%s {%s, %s}", info.Name, info.Kind, need), Tone: output.Strong},
		Detail: []string{info.Help},
	}
	if info.Kind == field.KindBool && info.Default == "" {
		info.Default = "false"
	} else if len(info.Choices) > 0 {
		point.Detail = append(point.Detail, "One of: "+strings.Join(info.Choices, ", ")+".")
	}
	if info.Default != "" {
		point.Detail = append(point.Detail, "Default: "+info.Default)
	}
	if info.Example != "" {
		point.Detail = append(point.Detail, "Example: "+info.Example)
	}
	return point
}

func points(heading string, items []string) output.Points {
	out := output.Points{Heading: heading}
	for _, item := range items {
		out.Items = append(out.Items, output.Point{Text: output.Text{Value: item}})
	}
	return out
}
