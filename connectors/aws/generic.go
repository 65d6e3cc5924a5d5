package aws

import (
	"context"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// genericKind is whatever the identity may do, as keys.
func genericKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  genericType,
			Title: "Generic AWS resource",
			Icon:  "🔶",
			Doc: `Allows aws, Terraform and everything else that is built on an AWS SDK to do what the identity of the connector may do, with keys that are not scoped to a resource.

A connector has one such resource, named by its region. The keys are good in all regions of the partition. For a bucket, a cluster or a registry alone, use its own resource type: those keys are scoped.`,
			Formats:     []string{"the field region, as in eu-central-1"},
			Permissions: []string{"whatever the keys will be used for"},
			Parse:       func(_ field.Values, name string) (string, error) { return checkRegion(name) },
			Default:     regionField.Get,
			Profile:     func(settings connector.Settings, _ string) connector.AWSProfile { return profileOf(settings.Values) },
		},
		list: func(_ context.Context, s *session, yield func(string) error) error {
			if r, ok := s.source.(rightless); ok {
				if err := r.rightless(); err != nil {
					return err
				}
			}
			return yield(s.region())
		},
		mint: func(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
			k, err := s.keysFor(ctx, purpose{lifetime: request.Lifetime})
			if err != nil {
				return nil, err
			}
			return s.handOut(ctx, k, s.region())
		},
	}
}

// handOut is keys as a credential.
func (s *session) handOut(ctx context.Context, k keys, region string) (connector.Credential, error) {
	if k.account == "" {
		account, err := s.account(ctx)
		if err != nil {
			return nil, fault.WithHint(fault.Within(err, "the account of the keys is unknown"), "say it with --set %s=ACCOUNT", accountField.Name)
		}
		k.account = account
	}
	return connector.AWSKeys{
		AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token,
		Account: k.account, Region: region, Expires: k.expires,
	}, nil
}

// profileOf is what a profile of the SDKs says of where AWS is.
func profileOf(values field.Values) connector.AWSProfile {
	profile := connector.AWSProfile{
		Region: regionField.Get(values), Endpoint: endpointField.Get(values),
		FIPS: fipsField.Get(values), DualStack: dualStackField.Get(values),
	}
	for _, f := range []field.String{endpointSTS, endpointS3, endpointEKS, endpointECR, endpointECRPublic, endpointSSO, endpointSSOOIDC} {
		address := f.Get(values)
		if address == "" {
			continue
		}
		if profile.Endpoints == nil {
			profile.Endpoints = map[string]string{}
		}
		profile.Endpoints[strings.TrimPrefix(f.Name, endpointField.Name+"_")] = address
	}
	return profile
}
