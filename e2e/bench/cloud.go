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
)

// latency is what each call to a fake cloud takes.
const latency = 100 * time.Millisecond

// cloud is a world that has the connectors to a fake cloud, and what the bench asks of that.
type cloud struct {
	*world
	title  string // of the service
	typ    string // the connector type
	forget func() // what was asked
	asked  func() []step
}

// step is a call that the fake cloud was asked for.
type step struct {
	action string
	at     time.Time
}

// newCloud gives a connector type a world of its own. end stops what runs in it.
func newCloud(w *world, title, typ string) (c *cloud, end func()) {
	dir := filepath.Join(w.dir, typ)
	own := &world{bin: w.bin, dir: dir, env: append(slices.Clone(w.env), "SVCCONN_CONFIG_DIR="+dir)}
	return &cloud{world: own, title: title, typ: typ}, func() { _, _ = do(own.command(context.Background(), "svcconn", "agent", "stop"), "") }
}

// connector writes a connector as a person may write it by hand, its secret in a file that
// is referred to. text is its part of the file, and ends with the name of the secret.
func (c *cloud) connector(name, text, secret string) error {
	path := filepath.Join(c.dir, "secrets", name)
	for path, content := range map[string]string{path: secret, filepath.Join(c.dir, "connectors", name+".toml"): text + " = 'file:" + path + "'\n"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// timedCommand runs a command of svcconn's and says how long it took.
func (w *world) timedCommand(ctx context.Context, args ...string) (string, time.Duration, error) {
	start := time.Now()
	out, err := do(w.command(ctx, "svcconn", args...), "")
	return out, time.Since(start), err
}

// kind is a kind of credential.
type kind struct{ what, resourceType, resource, format string }

// mints times the first credential of each kind, by calls that follow each other.
func (c *cloud) mints(ctx context.Context, connector string, kinds ...kind) error {
	for _, k := range kinds {
		var ours []time.Duration
		var chain []string
		for range 5 {
			if _, err := do(c.command(ctx, "svcconn", "agent", "forget"), ""); err != nil {
				return err
			}
			c.forget()
			_, took, err := c.timedCommand(ctx, "credential", "--connector", connector, "-r", k.resourceType, "-n", k.resource, "--format", k.format)
			if err != nil {
				return err
			}
			chain = chainOf(c.asked())
			ours = append(ours, took-time.Duration(len(chain))*latency)
		}
		slices.Sort(ours)
		report(c.title+", mint of "+k.what+", ours, with the start of svcconn", "%s", ours[len(ours)/2].Round(100*time.Microsecond),
			fmt.Sprintf("beside %v of %s's: %s", time.Duration(len(chain))*latency, c.title, strings.Join(chain, ", ")))
	}
	return nil
}

// chainOf are the calls that waited for the one before: those that came at the same time
// are one, with + between them.
func chainOf(steps []step) (chain []string) {
	slices.SortFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	var start time.Time
	for _, s := range steps {
		if len(chain) > 0 && s.at.Sub(start) < latency*9/10 {
			chain[len(chain)-1] += "+" + s.action
			continue
		}
		chain, start = append(chain, s.action), s.at
	}
	return chain
}

// listing lists what all connectors reach, and compares that with the slowest chain of
// calls that have to wait for each other, within one connector.
func (c *cloud) listing(ctx context.Context, what string, longest func() int) error {
	c.forget()
	busy, err := c.agentCPU(ctx)
	if err != nil {
		return err
	}
	out, took, err := c.timedCommand(ctx, "list-resources", "--connector-type", c.typ, "-o", "json")
	if err != nil {
		return err
	}
	resources, err := countResources(out)
	if err != nil {
		return err
	}
	chain := time.Duration(longest()) * latency
	report(fmt.Sprintf("list-resources, %s (%d calls, %d resources)", what, len(c.asked()), resources), "%s", took.Round(time.Millisecond), "")
	report(fmt.Sprintf("  to the slowest chain of calls (%v)", chain), "%.2f x", float64(took)/float64(chain), "aim: at most 1.5")
	after, err := c.agentCPU(ctx)
	report("  CPU time of the agent; the fake's comes to that, on the same machine", "%s", after-busy, "")
	return err
}

// clockTick is the unit of CPU times in /proc, on every Linux.
const clockTick = 10 * time.Millisecond

// agentCPU is how long the agent has computed, from /proc/PID/stat.
func (w *world) agentCPU(ctx context.Context) (time.Duration, error) {
	text, err := do(w.command(ctx, "svcconn", "agent", "status", "-o", "json"), "")
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
