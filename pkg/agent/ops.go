package agent

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// operation is one entry of the protocol. budget is how long the client shall wait
// for the next word; total says that it also bounds the whole operation.
type operation struct {
	run    func(context.Context, *call, settings.Settings) (wire.Reply, secret.Text, error)
	budget func(settings.Settings) time.Duration
	total  bool
}

func dockerBudget(s settings.Settings) time.Duration  { return s.Docker.Timeout }
func awsBudget(s settings.Settings) time.Duration     { return s.AWS.Timeout }
func gcloudBudget(s settings.Settings) time.Duration  { return s.Gcloud.Timeout }
func kubectlBudget(s settings.Settings) time.Duration { return s.Kubectl.Timeout }
func networkBudget(s settings.Settings) time.Duration { return s.Secrets.Timeout + s.Network.Timeout }

// longBudget is for what waits for a person, too.
func longBudget(settings.Settings) time.Duration { return 3 * time.Minute }

func operations() map[string]operation {
	return map[string]operation{
		wire.Ping:           {run: ping, budget: dockerBudget},
		wire.DockerGet:      {run: dockerGet, budget: dockerBudget, total: true},
		wire.DockerStore:    {run: dockerStore, budget: longBudget},
		wire.DockerErase:    {run: dockerErase, budget: longBudget},
		wire.DockerList:     {run: dockerList, budget: dockerBudget, total: true},
		wire.KubeletGet:     {run: kubeletGet, budget: kubeletBudget, total: true},
		wire.KubernetesExec: {run: kubernetesExec, budget: kubectlBudget, total: true},
		wire.GetCredential:  {run: getCredential, budget: longBudget},
		wire.AWSProcess:     {run: getCredential, budget: awsBudget, total: true},
		wire.GoogleToken:    {run: googleToken, budget: gcloudBudget, total: true},
		wire.Resources:      {run: resources, budget: networkBudget},
		wire.Verify:         {run: verify, budget: longBudget},
		wire.Explain:        {run: explain, budget: networkBudget},
		wire.AgentStatus:    {run: status, budget: dockerBudget},
		wire.AgentStop:      {run: stop, budget: dockerBudget},
		wire.AgentForget:    {run: forget, budget: dockerBudget},
		wire.AgentUnlock:    {run: unlock, budget: longBudget},
	}
}

// patience is how long an operation may take before the client is told to wait.
const patience = 250 * time.Millisecond

func (c *call) carryOut(ctx context.Context) (wire.Reply, secret.Text, error) {
	op, ok := operations()[c.request.Op]
	if !ok {
		return wire.Reply{}, secret.Text{}, fault.New(fault.Invalid, "the agent does not know the operation %q", c.request.Op).
			Hint("install the three binaries of one release, then `svcconn agent stop`")
	}
	current, err := c.server.broker.Settings()
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	budget := op.budget(current)
	if op.total {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
	}
	waiting := time.AfterFunc(patience, func() { _ = c.tell(wire.Reply{Event: wire.Working, Budget: budget}) })
	defer waiting.Stop()
	reply, body, err := op.run(ctx, c, current)
	reply.Event = wire.Success
	return reply, body, err
}

// args decodes the request's arguments.
func args[T any](c *call) (T, error) {
	var out T
	if len(c.request.Args) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(c.request.Args, &out); err != nil {
		return out, fault.New(fault.Invalid, "the arguments of %s are malformed: %w", c.request.Op, err)
	}
	return out, nil
}

func data(v any) (wire.Reply, secret.Text, error) {
	text, err := json.Marshal(v)
	return wire.Reply{Data: text}, secret.Text{}, err
}

func ping(_ context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	s := c.server
	return data(wire.Pong{Release: s.release, Protocol: wire.Protocol, PID: s.pid, Config: s.dirs.Config})
}

func getCredential(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.CredentialArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if err := renderable(a.Format); err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	grant, err := c.server.broker.Credential(ctx, requestOf(a))
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	body, err := Render(grant, a.Format, c.server.now())
	return wire.Reply{}, body, err
}

func requestOf(a wire.CredentialArgs) broker.Request {
	request := broker.Request{Connector: a.Connector, ResourceType: a.ResourceType, ResourceName: a.ResourceName,
		Lifetime: a.Lifetime, Left: a.Left, KeyFile: a.Format == FormatKeyFile}
	if a.ReadOnly {
		request.Access = connector.ReadOnly
	}
	return request
}

func resources(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.ResourcesArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	err = c.server.broker.Resources(ctx, broker.Filter(a), func(r broker.Row) error { return c.item(wireRow(r)) })
	return wire.Reply{}, secret.Text{}, err
}

func wireRow(r broker.Row) wire.ResourceRow {
	row := wire.ResourceRow{
		ConnectorID: r.Connector.ID, ConnectorName: r.Connector.Name, ConnectorType: r.Connector.Type,
		ResourceType: r.ResourceType, ResourceNames: r.Names, Error: textOf(r.Err),
	}
	if row.ResourceNames == nil {
		row.ResourceNames = []string{}
	}
	return row
}

func textOf(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}

// Verified puts a verification on the wire.
func Verified(v broker.Verification) wire.Verified {
	out := wire.Verified{Connector: v.Connector.Name, Resources: []wire.ResourceRow{}, Error: textOf(v.Err)}
	if v.Identity != nil {
		out.Identity = &wire.Identity{Name: v.Identity.Name, Detail: v.Identity.Detail}
	}
	for _, r := range v.Rows {
		out.Resources = append(out.Resources, wireRow(r))
	}
	if v.Err != nil {
		out.Failure = wire.FromFault(v.Err)
	}
	return out
}

func verify(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.VerifyArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	v, err := c.server.broker.Verify(ctx, a.Connector, a.ResourceType, a.ResourceName, a.IdentityOnly)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	return data(Verified(v))
}

func explain(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.ExplainArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if a.ResourceType == "" {
		a.ResourceType = resourceTypeOf(ctx, c.server.broker, a.Subject)
	}
	x, err := c.server.broker.Explain(ctx, a.ResourceType, a.Subject, a.Connector)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	return data(wireExplanation(a.Subject, x))
}

// resourceTypeOf tells a cluster from a registry: it is one if a connector serves it as
// such.
func resourceTypeOf(ctx context.Context, b *broker.Broker, subject string) string {
	located, err := b.Locate(ctx, broker.KubernetesCluster, subject)
	if located != nil || fault.Is(err, fault.Ambiguous) {
		return broker.KubernetesCluster
	}
	return broker.DockerRegistry
}

func wireExplanation(subject string, x broker.Explanation) wire.Explanation {
	out := wire.Explanation{Subject: subject, ResourceType: x.ResourceType, Address: x.Address, Candidates: []wire.Candidate{}, Clients: []wire.ClientFile{}}
	for _, candidate := range x.Candidates {
		out.Candidates = append(out.Candidates, wire.Candidate(candidate))
	}
	if x.Located != nil {
		out.Connector, out.ResourceName, out.Reason = x.Located.Connector.Name, x.Located.ResourceName, x.Located.Reason
		out.Verdict = "connector " + out.Connector + " serves " + x.Address
	}
	if x.Kept != nil {
		kept := wireKept(*x.Kept)
		out.Kept = &kept
	}
	if err := x.Failure(); err != nil {
		out.Verdict = err.Error()
		out.LastError = wire.FromFault(err)
		out.Hint = fault.HintOf(err)
	}
	return out
}

func wireKept(info cache.Info) wire.Kept {
	kept := wire.Kept{Connector: info.Connector, ResourceType: info.ResourceType, ResourceName: info.ResourceName,
		Minted: info.Minted.UTC(), Until: info.Until.UTC(), Uses: info.Uses}
	if !info.Expires.IsZero() {
		expires := info.Expires.UTC()
		kept.Expires = &expires
	}
	return kept
}

func status(_ context.Context, c *call, current settings.Settings) (wire.Reply, secret.Text, error) {
	s := c.server
	started, exits := s.started.UTC(), s.exitsAt(current.Agent.Idle).UTC()
	out := wire.Status{Running: true, PID: s.pid, Release: s.release, Socket: s.socket, Config: s.dirs.Config,
		Started: &started, ExitsAt: &exits, Unlocked: s.broker.Secrets().Unlocked(), Kept: []wire.Kept{}, Exchanges: s.exchange.addresses()}
	for _, info := range s.broker.Kept() {
		out.Kept = append(out.Kept, wireKept(info))
	}
	slices.SortFunc(out.Kept, func(a, b wire.Kept) int {
		return strings.Compare(a.Connector+a.ResourceName, b.Connector+b.ResourceName)
	})
	return data(out)
}

func stop(_ context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	c.server.retire()
	return wire.Reply{}, secret.Text{}, nil
}

func forget(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.ForgetArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	id := ""
	if a.Connector != "" {
		found, err := c.server.broker.Find(ctx, a.Connector)
		if err != nil {
			return wire.Reply{}, secret.Text{}, err
		}
		id = found.ID
	}
	return data(wire.Forgot{Credentials: c.server.broker.Forget(ctx, id)})
}

func unlock(_ context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	return wire.Reply{}, secret.Text{}, c.server.broker.Secrets().Unlock(c.body)
}
