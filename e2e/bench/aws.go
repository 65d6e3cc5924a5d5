package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// How much there is to list: each connector is of an account of its own.
const (
	accounts   = 40
	awsRegions = "eu-central-1,eu-west-1,us-east-1,us-west-2,ap-northeast-1"
)

// aws measures what the connector type aws adds to the latency of its services.
func aws(ctx context.Context, w *world, _ int) error {
	server, err := awstest.New(awstest.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	c, end := newCloud(w, "AWS", "aws")
	defer end()
	c.forget = server.ResetCalls
	c.asked = func() (steps []step) {
		for _, call := range server.Calls() {
			steps = append(steps, step{call.Action, call.Time})
		}
		return steps
	}
	for n := range accounts {
		if err := awsConnector(c, server, n); err != nil {
			return err
		}
	}
	server.Delay(latency)
	if err := c.mints(ctx, name(0),
		kind{"keys for all", "aws-generic", "eu-central-1", "credential-process"},
		kind{"keys for a bucket", "s3-bucket", "s3://bench-0-0", "credential-process"},
		kind{"login of ECR", "docker-registry", accountID(0) + ".dkr.ecr.eu-central-1.amazonaws.com", "token"},
		kind{"token of EKS", "kubernetes-cluster", "cluster-0", "token"},
	); err != nil {
		return err
	}
	return c.listing(ctx, fmt.Sprintf("%d connectors × 5 regions", accounts), func() int { return longestChain(server.Calls()) })
}

func accountID(n int) string { return fmt.Sprintf("2000000%05d", n) }

func name(n int) string { return fmt.Sprintf("aws%02d", n) }

// awsConnector makes an account with something of everything, and a connector to it.
func awsConnector(c *cloud, server *awstest.Server, n int) error {
	account := server.Account(accountID(n))
	keys := account.User("bench")
	role := account.Role("bench", awstest.Role{})
	for i := range 3 {
		account.Bucket(fmt.Sprintf("bench-%d-%d", n, i), "eu-central-1")
		for region := range strings.SplitSeq(awsRegions, ",") {
			account.Cluster(region, fmt.Sprintf("cluster-%d", i), awstest.Cluster{})
			account.Repository(region, fmt.Sprintf("team/app-%d", i))
		}
	}
	own, further, _ := strings.Cut(awsRegions, ",")
	return c.connector(name(n), fmt.Sprintf(`version = 1
type = 'aws'
auth_method = 'iam-role'

[configuration]
region = '%s'
regions = ['%s']
account_id = '%s'
aws_access_key_id = '%s'
role_arn = '%s'
endpoint_url = '%s'

[secrets.references]
aws_secret_access_key`, own, strings.ReplaceAll(further, ",", "', '"), account.ID(), keys.AccessKeyID, role, server.URL()), keys.SecretAccessKey)
}

// longestChain is the number of calls that had to wait for each other: the login, and the
// most pages that one account has of one service in one region.
func longestChain(calls []awstest.Call) int {
	type list struct{ account, service, region string }
	logins, pages := map[string]int{}, map[list]int{}
	for _, call := range calls {
		if call.Service == "sts" {
			logins[call.Account]++
		} else {
			pages[list{call.Account, call.Service, call.Region}]++
		}
	}
	longest := 0
	for list, n := range pages {
		longest = max(longest, min(logins[list.account], 1)+n)
	}
	return longest
}
