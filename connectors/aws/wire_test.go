package aws

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	wireKey    = "AKIACANARYF000000001"
	wireSecret = "canaryF/wJalrXUtnFEMI+K7MDENGbPxRfiCY8F2"
	wireToken  = "canaryFtoken"
)

func wireKeys() keys {
	return keys{id: wireKey, secret: secret.New(wireSecret), token: secret.New(wireToken)}
}

// wire are clients for an address, whose calls are repeated without waiting.
func wire(t *testing.T, address string, change ...func(*connector.Host, *field.Values)) *clients {
	t.Helper()
	host := connector.Host{Now: proc.Real().Now, Getenv: func(string) string { return "" }, Home: t.TempDir(), HTTP: &http.Transport{}}
	var values field.Values
	values.Set(regionField.Name, "eu-central-1")
	if address != "" {
		values.Set(endpointField.Name, address)
	}
	values.SetSecret(secretKeyField.Name, secret.New(wireSecret))
	for _, change := range change {
		change(&host, &values)
	}
	c, err := newClients(host, values)
	if err != nil {
		t.Fatal(err)
	}
	inner := c.retryer
	c.retryer = func() awssdk.Retryer { return hasty{inner()} }
	return c
}

// hasty does not wait.
type hasty struct{ awssdk.Retryer }

func (hasty) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// asking are calls that speak each of the protocols.
var asking = map[string]func(context.Context, *clients) error{
	"STS": func(ctx context.Context, c *clients) error {
		_, err := c.sts(wireKeys()).GetCallerIdentity(ctx, &awssts.GetCallerIdentityInput{})
		return err
	},
	"ECR": func(ctx context.Context, c *clients) error {
		_, err := c.ecr(wireKeys(), "eu-central-1").GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
		return err
	},
	"ECR Public": func(ctx context.Context, c *clients) error {
		_, err := c.ecrPublic(wireKeys()).DescribeRegistries(ctx, &ecrpublic.DescribeRegistriesInput{})
		return err
	},
	"EKS": func(ctx context.Context, c *clients) error {
		_, err := c.eks(wireKeys(), "eu-central-1").DescribeCluster(ctx, &eks.DescribeClusterInput{Name: awssdk.String("staging")})
		return err
	},
	"S3": func(ctx context.Context, c *clients) error {
		_, err := c.s3(wireKeys(), "eu-central-1").ListBuckets(ctx, &s3.ListBucketsInput{})
		return err
	},
	"S3, without bodies": func(ctx context.Context, c *clients) error {
		_, err := c.s3(wireKeys(), "eu-central-1").HeadBucket(ctx, &s3.HeadBucketInput{Bucket: awssdk.String("zenfiles")})
		return err
	},
	"SSO": func(ctx context.Context, c *clients) error {
		_, err := c.sso("eu-central-1").GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{
			AccessToken: awssdk.String(wireToken), AccountId: awssdk.String("123456789012"), RoleName: awssdk.String("admin"),
		})
		return err
	},
	"SSO OIDC": func(ctx context.Context, c *clients) error {
		_, err := c.ssoLogin("eu-central-1").CreateToken(ctx, &ssooidc.CreateTokenInput{
			ClientId: awssdk.String("id"), ClientSecret: awssdk.String(wireToken), GrantType: awssdk.String("refresh_token"),
		})
		return err
	},
}

// refusing answers all that is asked, in the format of the service.
func refusing(service string, status int, header http.Header, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		words, _ := json.Marshal(map[string]string{"__type": "com.amazonaws#" + code, "code": code, "message": message})
		body := string(words)
		switch service {
		case "STS":
			body = fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
		case "S3":
			body = fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
		case "S3, without bodies":
			body = ""
		case "SSO OIDC":
			body = `{"error":"x"}`
			w.Header().Set("X-Amzn-ErrorType", code)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func pemOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func fixedTime() time.Time { return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC) }
