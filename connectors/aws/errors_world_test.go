package aws

import (
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// onlyLists is a policy that lets its user do next to nothing.
const onlyLists = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets","sts:*"],"Resource":"*"}]}`

// mishaps are what can go wrong: what a connector is given, what happens then, and what
// it is asked.
var mishaps = map[string]struct {
	method string
	given  func(w *world) map[string]any
	wrong  func(w *world)
	ask    func(*testing.T, *session) error
	kind   fault.Kind
	says   string
	hint   string
}{
	"clock behind":            {methodSecretKey, jane(), func(w *world) { w.Skew(17 * time.Minute) }, triesToVerify, fault.Denied, "STS refuses GetCallerIdentity, since this machine's clock is 17m behind AWS's", "clock"},
	"clock ahead":             {methodSecretKey, jane(), func(w *world) { w.Skew(-2 * time.Hour) }, triesToMint(clusterType, "staging"), fault.Denied, "clock is 2h0m ahead of AWS's", "clock"},
	"throttled":               {methodSecretKey, jane(), func(w *world) { w.Throttle("sts", "", 99) }, triesToVerify, fault.Unavailable, "STS is being asked too often, and still refuses after several tries: Throttling", "try again later"},
	"throttled, for a moment": {methodSecretKey, jane(), func(w *world) { w.Throttle("sts", "", maxAttempts-1) }, triesToVerify, "", "", ""},
	"unknown key": {methodSecretKey, func(*world) map[string]any {
		return with(awstest.Keys{AccessKeyID: "AKIAUNKNOWN000000000", SecretAccessKey: planted}, nil)
	}, nil, triesToVerify, fault.Denied, "STS does not know the keys: InvalidClientTokenId", "active"},
	"another's secret": {methodSecretKey, func(w *world) map[string]any {
		k := w.Account(account1).User("jane")
		k.SecretAccessKey = planted
		return with(k, nil)
	}, nil, triesToVerify, fault.Denied, "STS does not accept the signature of the keys: SignatureDoesNotMatch", "belongs to the access key id"},
	"no right to describe": {methodSecretKey, jane(onlyLists), nil, triesToMint(clusterType, "staging"), fault.Denied, "not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:123456789012:cluster/staging", "IAM"},
	"no right to log in":   {methodSecretKey, jane(onlyLists), nil, triesToMint(registryType, account1+".dkr.ecr.eu-central-1.amazonaws.com"), fault.Denied, "not authorized to perform: ecr:GetAuthorizationToken on resource: *", "IAM"},
	"no such cluster":      {methodSecretKey, jane(), nil, triesToMint(clusterType, "nowhere"), fault.NotFound, "No cluster found for name: nowhere", "region"},
	"no such bucket":       {methodSecretKey, jane(), nil, triesToMint(bucketType, "nowhere"), fault.NotFound, "bucket nowhere: S3 finds nothing by that name: NotFound", "name"},
	"role not trusting": {methodRole, func(w *world) map[string]any {
		w.Account(account1).Role("closed", awstest.Role{Trust: []string{account2}})
		return with(w.Account(account1).User("jane"), map[string]any{"role_arn": roleOf("closed")})
	}, nil, triesToVerify, fault.Denied, "is not authorized to perform: sts:AssumeRole on resource: " + roleOf("closed"), "trust policy"},
	"root user": {methodRole, func(w *world) map[string]any {
		return with(w.Account(account1).Root(), map[string]any{"role_arn": w.Account(account1).Role("open", awstest.Role{})})
	}, nil, triesToVerify, fault.Denied, "refuses the keys of a root user", "IAM user"},
	"region off": {methodSessionToken, jane(), func(w *world) { w.Account(account1).DisableRegion("eu-central-1") }, triesToVerify, fault.Denied, "", ""},
}

func triesToVerify(t *testing.T, s *session) error {
	_, err := s.Verify(t.Context())
	return err
}

func triesToMint(resourceType, name string) func(*testing.T, *session) error {
	return func(t *testing.T, s *session) error {
		_, err := s.Mint(t.Context(), connector.Request{ResourceType: resourceType, ResourceName: name, Access: connector.ReadOnly})
		return err
	}
}

// What goes wrong with the strict fake, in AWS's words, is told as what it is.
func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	for what, test := range mishaps {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Account(account1).Cluster("eu-central-1", "staging", awstest.Cluster{CertificateAuthority: w.CertificateAuthority()})
			s := w.opened(t, test.method, test.given(w))
			if test.wrong != nil {
				test.wrong(w)
			}
			err := test.ask(t, s)
			if test.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			says(t, what, err, test.kind, test.says, test.hint)
		})
	}
}

// jane are the fields of a user's access key.
func jane(policies ...string) func(*world) map[string]any {
	return func(w *world) map[string]any { return with(w.Account(account1).User("jane", policies...), nil) }
}

// A role's own bound is told with the way out, before anyone has waited for anything.
func TestLongerThanTheRoleGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spec := w.spec(t, methodRole, with(w.Account(account1).User("jane"), map[string]any{"role_arn": w.Account(account1).Role("short", awstest.Role{})}))
	spec.Expiration = 2 * time.Hour
	s := w.open(t, spec)
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: genericType, ResourceName: "eu-central-1", Access: connector.ReadWrite, Lifetime: 2 * time.Hour})
	says(t, "too long", err, fault.Invalid, "keys for so long: ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration", "--expiration")
}
