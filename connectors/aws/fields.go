package aws

import (
	"github.com/svcconn/svcconn/pkg/field"
)

// The fields that all auth methods have: where AWS is, and which part of it.
var (
	regionField = field.String{
		Name: "region", Title: "region", Required: true, Example: "eu-central-1", Check: checkRegion,
		Help: "The region of the connector: where it asks for tokens, and where clusters and registries are looked for.",
	}
	regionsField = field.List{
		Name: "regions", Title: "further regions", Example: "eu-west-1,us-east-1", Check: checkRegion,
		Help: "Further regions to look for clusters and registries in.",
	}
	partitionField = field.String{
		Name: "partition", Title: "partition", Example: "aws-us-gov", Choices: partitionNames(),
		Help: "The partition of AWS. The region tells it, unless the region is newer than this release.",
	}
	accountField = field.String{
		Name: "account_id", Title: "account", Example: "123456789012", Check: checkAccount,
		Help: "The account that the connector is for, twelve digits. It is found out at registration. " +
			"A login that turns out to be for another account is then refused.",
	}
	registryIDsField = field.List{
		Name: "registry_ids", Title: "accounts of further registries", Example: "210987654321", Check: checkAccount,
		Help: "Further accounts whose ECR registries the connector serves: their repositories grant this account access.",
	}
	endpointField = field.String{
		Name: "endpoint_url", Title: "endpoint", Example: "https://vpce.example.com", Check: checkEndpoint,
		Help: "The address of all services, in place of AWS's own: for services that speak its protocols. STS is asked there too.",
	}
	endpointSTS       = serviceEndpoint("sts", "STS")
	endpointS3        = serviceEndpoint("s3", "S3")
	endpointEKS       = serviceEndpoint("eks", "EKS")
	endpointECR       = serviceEndpoint("ecr", "ECR")
	endpointECRPublic = serviceEndpoint("ecr_public", "ECR Public")
	endpointSSO       = serviceEndpoint("sso", "IAM Identity Center's portal")
	endpointSSOOIDC   = serviceEndpoint("sso_oidc", "IAM Identity Center's login")
	registryDomain    = field.String{
		Name: "registry_domain", Title: "domain of registries", Example: "localhost.localstack.cloud:4566", Check: checkRegistryDomain,
		Help: "The domain of ECR's registries where that is not AWS's own: their hosts are ACCOUNT.dkr.ecr.REGION.DOMAIN.",
	}
	fipsField = field.Bool{
		Name: "use_fips_endpoint", Title: "FIPS endpoints",
		Help: "Use the endpoints with validated cryptography (FIPS 140).",
	}
	dualStackField = field.Bool{
		Name: "use_dualstack_endpoint", Title: "dual-stack endpoints",
		Help: "Use the endpoints that have IPv6 addresses too.",
	}
	authorityField = field.String{
		Name: "ca_bundle", Title: "certificate authority", Check: checkCertificates,
		Help: "The certificate, or several, of the certificate authority that signs the endpoints' certificates, as PEM, where it is not " +
			"one of the system's: --set ca_bundle=@ca.pem.",
	}
)

func serviceEndpoint(service, title string) field.String {
	return field.String{
		Name: "endpoint_url_" + service, Title: "endpoint of " + title, Example: "https://vpce.example.com", Check: checkEndpoint,
		Help: "The address of " + title + " alone: a VPC endpoint, for one.",
	}
}

// commonFields are the fields of all auth methods; they come behind the method's own.
func commonFields() field.Set {
	return field.Set{
		regionField, regionsField, accountField, registryIDsField, partitionField,
		endpointField, endpointSTS, endpointS3, endpointEKS, endpointECR, endpointECRPublic, endpointSSO, endpointSSOOIDC,
		registryDomain, fipsField, dualStackField, authorityField,
	}
}
