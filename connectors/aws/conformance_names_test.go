package aws

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// named is a connector that names are read by; nothing is behind it.
func named(t string, name string, change map[string]any) connector.Spec {
	out := connector.Spec{Type: typeName, Method: methodSecretKey, ResourceType: t, ResourceName: name}
	fields := map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "region": home, "regions": []string{away}, "account_id": account1, "registry_ids": []string{account2}}
	for _, more := range []map[string]any{fields, change} {
		for name, value := range more {
			out.Values.Set(name, value)
		}
	}
	out.Values.SetSecret("aws_secret_access_key", secret.New(planted))
	return out
}

func conformanceNames() []connectortest.Name {
	china := named("", "", map[string]any{"region": "cn-north-1", "regions": []string{"cn-northwest-1"}})
	return []connectortest.Name{
		{
			ResourceType: genericType, Spec: named("", "", nil),
			Good: map[string]string{home: home, "EU-Central-1": home},
			Bad:  []string{"eu_central_1", "-", "arn:aws:iam::" + account1 + ":root"},
		},
		{
			ResourceType: bucketType, Spec: named("", "", nil),
			Good: map[string]string{
				"zenfiles": "s3://zenfiles", "s3://zenfiles": "s3://zenfiles", "s3://zenfiles/a/b": "s3://zenfiles", "arn:aws:s3:::zenfiles/*": "s3://zenfiles",
				"my.bucket-1": "s3://my.bucket-1",
			},
			Bad: []string{"Zenfiles", "ab", "a..b", "10.0.0.1", "https://zenfiles.s3.amazonaws.com", "arn:aws-cn:s3:::zenfiles", "gs://zenfiles", "s3://"},
		},
		{
			ResourceType: bucketType, Spec: china,
			Good: map[string]string{"arn:aws-cn:s3:::zenfiles": "s3://zenfiles"}, Bad: []string{"arn:aws:s3:::zenfiles"},
		},
		{
			ResourceType: clusterType, Spec: named("", "", nil),
			Good: map[string]string{
				"staging": "staging", home + "/staging": "staging", away + "/staging": away + "/staging", "a_B-1": "a_B-1",
				"arn:aws:eks:" + home + ":" + account1 + ":cluster/staging": "staging", "arn:aws:eks:" + away + ":" + account1 + ":cluster/staging": away + "/staging",
			},
			Bad: []string{
				"-a", "a.b", "eu-west-1/staging", "arn:aws:eks:eu-west-1:" + account1 + ":cluster/staging", "arn:aws:eks:" + home + ":" + account2 + ":cluster/staging",
				"arn:aws-cn:eks:" + home + ":" + account1 + ":cluster/staging", "arn:aws:ecs:" + home + ":" + account1 + ":cluster/staging", "a/b/c",
			},
		},
		{
			ResourceType: registryType, Spec: named("", "", nil),
			Good: map[string]string{
				host(account1, home, "dkr.ecr", "amazonaws.com"):                            host(account1, home, "dkr.ecr", "amazonaws.com"),
				"https://" + host(account1, home, "dkr.ecr", "amazonaws.com") + "/team/app": host(account1, home, "dkr.ecr", "amazonaws.com") + "/team/app",
				host(account2, "ap-south-1", "dkr.ecr", "amazonaws.com"):                    host(account2, "ap-south-1", "dkr.ecr", "amazonaws.com"),
				host(account1, home, "dkr.ecr-fips", "amazonaws.com"):                       host(account1, home, "dkr.ecr-fips", "amazonaws.com"),
				host(account1, home, "dkr-ecr", "on.aws"):                                   host(account1, home, "dkr-ecr", "on.aws"),
				"arn:aws:ecr:" + home + ":" + account1 + ":repository/team/app":             host(account1, home, "dkr.ecr", "amazonaws.com") + "/team/app",
				"public.ecr.aws/zen/app":                                                    "public.ecr.aws/zen/app",
			},
			Bad: []string{
				"docker.io", host(foreign1, home, "dkr.ecr", "amazonaws.com"), host(account1, "cn-north-1", "dkr.ecr", "amazonaws.com.cn"),
				host(account1, home, "dkr.ecr", "amazonaws.com.evil.tld"), host(account1, home, "dkr.ecr", "amazonaws.com") + "/UPPER", "arn:aws:ecr:" + home + ":" + foreign1 + ":repository/app",
			},
		},
		{
			ResourceType: registryType, Spec: china,
			Good: map[string]string{host(account1, "cn-north-1", "dkr.ecr", "amazonaws.com.cn"): host(account1, "cn-north-1", "dkr.ecr", "amazonaws.com.cn")},
			Bad:  []string{host(account1, home, "dkr.ecr", "amazonaws.com"), "public.ecr.aws"},
		},
	}
}

// host is the host of a registry.
func host(account, region, service, domain string) string {
	return account + "." + service + "." + region + "." + domain
}

func conformanceAddresses() []connectortest.Address {
	own := host(account1, home, "dkr.ecr", "amazonaws.com")
	return []connectortest.Address{
		{
			ResourceType: registryType, Spec: named("", "", nil),
			Serves: map[string]string{
				own: own, "https://" + own + "/": own, own + ":443": own, "123456789012.DKR.ecr.eu-central-1.amazonaws.com.": own, own + "/team/app": own + "/team/app",
				host(account2, away, "dkr.ecr", "amazonaws.com"):      host(account2, away, "dkr.ecr", "amazonaws.com"),
				host(account1, away, "dkr-ecr-fips", "on.aws"):        host(account1, away, "dkr-ecr-fips", "on.aws"),
				host(account1, home, "dkr.ecr-fips", "amazonaws.com"): host(account1, home, "dkr.ecr-fips", "amazonaws.com"),
			},
			Foreign: []string{
				"docker.io", "public.ecr.aws", "public.ecr.aws/zen", host(foreign1, home, "dkr.ecr", "amazonaws.com"), host(account1, home, "dkr.ecr", "amazonaws.com.cn"),
				"sts." + home + ".amazonaws.com", "x." + own, account1 + ".dkr.ecr.amazonaws.com", "arn:aws:ecr:" + home + ":" + account1 + ":repository/app",
			},
		},
		{
			ResourceType: registryType, Spec: named(registryType, own+"/team", nil),
			Serves:  map[string]string{own + "/team": own + "/team", own + "/team/app": own + "/team"},
			Foreign: []string{own, own + "/teams", own + "/other/team"},
		},
		{
			ResourceType: registryType, Spec: named(registryType, "public.ecr.aws/zen", nil),
			Serves:  map[string]string{"public.ecr.aws/zen": "public.ecr.aws/zen", "https://public.ecr.aws/zen/app": "public.ecr.aws/zen"},
			Foreign: []string{"public.ecr.aws", "public.ecr.aws/zend/app", own},
		},
	}
}
