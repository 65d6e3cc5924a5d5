package aws

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// common sets the fields that say where AWS is: as the environment has it, or else the
// profile.
func (c *candidate) common() error {
	c.setText(regionField, "AWS_REGION", "AWS_DEFAULT_REGION", "region")
	for f, variable := range map[field.Bool]string{fipsField: "AWS_USE_FIPS_ENDPOINT", dualStackField: "AWS_USE_DUALSTACK_ENDPOINT"} {
		if strings.EqualFold(c.setting(variable, f.Name), "true") {
			c.values.Set(f.Name, true)
		}
	}
	if !strings.EqualFold(c.setting("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"), "true") {
		c.endpoints()
	}
	path := c.setting("AWS_CA_BUNDLE", "ca_bundle")
	if path == "" {
		return nil
	}
	path, err := c.d.absolute(path)
	if err != nil {
		return fault.New(fault.Failed, "%w", err)
	}
	pem, err := readSmall(path)
	if err != nil {
		return fault.Within(err, "ca_bundle")
	}
	c.values.Set(authorityField.Name, pem)
	return nil
}

// setting is the first that is there: of variables, in upper case, and of keys of the
// profile, in lower.
func (c *candidate) setting(names ...string) string {
	for _, name := range names {
		text := ""
		if name == strings.ToUpper(name) {
			text = c.d.host.Getenv(name)
		} else if c.top != nil {
			text = c.top.values[name]
		}
		if text != "" {
			return text
		}
	}
	return ""
}

func (c *candidate) setText(f field.String, names ...string) {
	if text := c.setting(names...); text != "" {
		c.values.Set(f.Name, text)
	}
}

// endpoints sets the addresses of services. What the environment says of all of them wins
// over what the profile says of one.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (c *candidate) endpoints() {
	c.setText(endpointField, "AWS_ENDPOINT_URL", "endpoint_url")
	for _, f := range []field.String{endpointSTS, endpointS3, endpointEKS, endpointECR, endpointECRPublic, endpointSSO, endpointSSOOIDC} {
		service := strings.TrimPrefix(f.Name, endpointField.Name+"_")
		c.setText(f, strings.ToUpper("AWS_"+f.Name))
		if c.values.Has(f.Name) || c.d.host.Getenv("AWS_ENDPOINT_URL") != "" || c.top == nil {
			continue
		}
		if section := c.d.files.others["services "+c.top.values["services"]]; section != nil {
			if address := section.nested[service]["endpoint_url"]; address != "" {
				c.values.Set(f.Name, address)
			}
		}
	}
}
