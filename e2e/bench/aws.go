package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// latency is what each call to the fake AWS takes.
const latency = 100 * time.Millisecond

// How much there is to list: each connector is of an account of its own.
const (
	accounts   = 40
	awsRegions = "eu-central-1,eu-west-1,us-east-1,us-west-2,ap-northeast-1"
)

// cloud is the fake AWS of the bench, and a world that has the connectors to it.
type cloud struct {
	*awstest.Server
	*world
}

// aws measures what the connector type aws adds to the latency of its services.
func aws(ctx context.Context, w *world, _ int) error {
	server, err := awstest.New(awstest.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	dir := filepath.Join(w.dir, "aws")
	own := &world{bin: w.bin, dir: dir, env: append(slices.Clone(w.env), "SVCCONN_CONFIG_DIR="+dir)}
	defer func() { _, _ = do(own.command(context.Background(), "svcconn", "agent", "stop"), "") }()
	c := cloud{server, own}
	for n := range accounts {
		if err := c.connector(n); err != nil {
			return err
		}
	}
	server.Delay(latency)
	for _, part := range []func(context.Context) error{c.mints, c.listing} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func accountID(n int) string { return fmt.Sprintf("2000000%05d", n) }

// connector makes an account with something of everything, and a connector to it, as a
// person may write it by hand, its key referred to.
func (c cloud) connector(n int) error {
	account := c.Account(accountID(n))
	keys := account.User("bench")
	role := account.Role("bench", awstest.Role{})
	for i := range 3 {
		account.Bucket(fmt.Sprintf("bench-%d-%d", n, i), "eu-central-1")
		for region := range strings.SplitSeq(awsRegions, ",") {
			account.Cluster(region, fmt.Sprintf("cluster-%d", i), awstest.Cluster{})
			account.Repository(region, fmt.Sprintf("team/app-%d", i))
		}
	}
	secret := filepath.Join(c.dir, "secrets", account.ID())
	own, further, _ := strings.Cut(awsRegions, ",")
	text := fmt.Sprintf(`version = 1
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
aws_secret_access_key = 'file:%s'
`, own, strings.ReplaceAll(further, ",", "', '"), account.ID(), keys.AccessKeyID, role, c.URL(), secret)
	for path, content := range map[string]string{secret: keys.SecretAccessKey, filepath.Join(c.dir, "connectors", name(n)+".toml"): text} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func name(n int) string { return fmt.Sprintf("aws%02d", n) }

// timedCommand runs a command of svcconn's and says how long it took.
func (c cloud) timedCommand(ctx context.Context, args ...string) (string, time.Duration, error) {
	start := time.Now()
	out, err := do(c.command(ctx, "svcconn", args...), "")
	return out, time.Since(start), err
}

// mints times the first credential of each kind, by calls that follow each other.
func (c cloud) mints(ctx context.Context) error {
	for _, kind := range []struct{ what, resourceType, resource, format string }{
		{"keys for all", "aws-generic", "eu-central-1", "credential-process"},
		{"keys for a bucket", "s3-bucket", "s3://bench-0-0", "credential-process"},
		{"login of ECR", "docker-registry", accountID(0) + ".dkr.ecr.eu-central-1.amazonaws.com", "token"},
		{"token of EKS", "kubernetes-cluster", "cluster-0", "token"},
	} {
		var ours []time.Duration
		var chain []string
		for range 5 {
			if _, err := do(c.command(ctx, "svcconn", "agent", "forget"), ""); err != nil {
				return err
			}
			c.ResetCalls()
			_, took, err := c.timedCommand(ctx, "credential", "--connector", name(0), "-r", kind.resourceType, "-n", kind.resource, "--format", kind.format)
			if err != nil {
				return err
			}
			chain = chainOf(c.Calls())
			ours = append(ours, took-time.Duration(len(chain))*latency)
		}
		slices.Sort(ours)
		report("AWS, mint of "+kind.what+", ours, with the start of svcconn", "%s", ours[len(ours)/2].Round(100*time.Microsecond),
			fmt.Sprintf("beside %v of AWS's: %s", time.Duration(len(chain))*latency, strings.Join(chain, ", ")))
	}
	return nil
}

// chainOf are the calls that waited for the one before: those that came at the same time
// are one, with + between them.
func chainOf(calls []awstest.Call) (chain []string) {
	slices.SortFunc(calls, func(a, b awstest.Call) int { return a.Time.Compare(b.Time) })
	var start time.Time
	for _, call := range calls {
		if len(chain) > 0 && call.Time.Sub(start) < latency*9/10 {
			chain[len(chain)-1] += "+" + call.Action
			continue
		}
		chain, start = append(chain, call.Action), call.Time
	}
	return chain
}

// listing lists what all connectors reach, and compares that with the slowest chain of
// calls that have to wait for each other, within one connector.
func (c cloud) listing(ctx context.Context) error {
	c.ResetCalls()
	busy, err := c.agentCPU(ctx)
	if err != nil {
		return err
	}
	out, took, err := c.timedCommand(ctx, "list-resources", "--connector-type", "aws", "-o", "json")
	if err != nil {
		return err
	}
	resources, err := countResources(out)
	if err != nil {
		return err
	}
	calls := c.Calls()
	chain := time.Duration(longestChain(calls)) * latency
	what := fmt.Sprintf("list-resources, %d connectors × 5 regions (%d calls, %d resources)", accounts, len(calls), resources)
	report(what, "%s", took.Round(time.Millisecond), "")
	report(fmt.Sprintf("  to the slowest chain of calls (%v)", chain), "%.2f x", float64(took)/float64(chain), "aim: at most 1.5")
	after, err := c.agentCPU(ctx)
	report("  CPU time of the agent; the fake's comes to that, on the same machine", "%s", after-busy, "")
	return err
}

// clockTick is the unit of CPU times in /proc, on every Linux.
const clockTick = 10 * time.Millisecond

// agentCPU is how long the agent has computed, from /proc/PID/stat.
func (c cloud) agentCPU(ctx context.Context) (time.Duration, error) {
	text, err := do(c.command(ctx, "svcconn", "agent", "status", "-o", "json"), "")
	if err != nil {
		return 0, err
	}
	var status struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return 0, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", status.PID))
	if err != nil {
		return 0, err
	}
	var user, system int
	fields := strings.Fields(string(stat))
	if _, err := fmt.Sscan(strings.Join(fields[13:15], " "), &user, &system); err != nil {
		return 0, err
	}
	return time.Duration(user+system) * clockTick, nil
}

// countResources is how many resources a listing has; one with an error is none.
func countResources(listing string) (n int, err error) {
	var rows []struct {
		Names []string `json:"resource_names"`
		Error *string  `json:"error"`
	}
	if err := json.Unmarshal([]byte(listing), &rows); err != nil {
		return 0, err
	}
	for _, row := range rows {
		if row.Error != nil {
			return 0, fmt.Errorf("list-resources: %s", *row.Error)
		}
		n += len(row.Names)
	}
	return n, nil
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
