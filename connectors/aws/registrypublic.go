package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
)

// hasPublic reports whether ECR Public can be asked: its partition has it, and whoever
// has endpoints of services inside a network of their own said where this one is.
func (s *session) hasPublic() bool {
	return s.partition.id == publicPartition && (s.endpoint(endpointECR) == nil || s.endpoint(endpointECRPublic) != nil)
}

// publicRegistries lists the account's own public registries, if it may.
func (s *session) publicRegistries(ctx context.Context, k keys, yield func(string) error) error {
	pages := ecrpublic.NewDescribeRegistriesPaginator(s.ecrPublic(k), &ecrpublic.DescribeRegistriesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if err = s.failed(ctx, "ECR Public", err); notAllowed(err) {
				return nil
			}
			return err
		}
		for _, one := range page.Registries {
			r, err := parseRegistry(s.values, value(one.RegistryUri))
			if err != nil || !r.public() { // without an alias yet
				continue
			}
			if err := yield(r.name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// authorizePublic asks ECR Public for a login, which is good for all that is public and
// for what the account may push to.
func (s *session) authorizePublic(ctx context.Context, k keys) (authorization, error) {
	out, err := s.ecrPublic(k).GetAuthorizationToken(ctx, &ecrpublic.GetAuthorizationTokenInput{})
	if err != nil {
		return authorization{}, s.failed(ctx, "ECR Public", err)
	}
	if out.AuthorizationData == nil {
		return authorization{}, noAuthorization("ECR Public")
	}
	return authorizationOf("ECR Public", out.AuthorizationData.AuthorizationToken, out.AuthorizationData.ExpiresAt)
}
