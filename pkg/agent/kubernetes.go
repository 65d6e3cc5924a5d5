package agent

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientauthv1beta1 "k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// The versions of client-go's exec protocol, and its one kind.
var (
	execV1      = clientauthv1.SchemeGroupVersion.String()
	execV1beta1 = clientauthv1beta1.SchemeGroupVersion.String()
)

const execKind = "ExecCredential"

// execInfo is what client-go says in KUBERNETES_EXEC_INFO. Whether a person is there
// does not matter: nobody is asked here.
type execInfo struct {
	apiVersion string
	server     string // "" where provideClusterInfo is off
	authority  string // PEM
}

// parseExecInfo reads KUBERNETES_EXEC_INFO. Clients that do not set it are old ones,
// which want v1beta1, as other plugins answer too. The errors repeat nothing but the
// version: cluster information can have secrets in it.
func parseExecInfo(text string) (execInfo, error) {
	if text == "" {
		return execInfo{apiVersion: execV1beta1}, nil
	}
	var given clientauthv1.ExecCredential // v1beta1 is written in the same way
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return execInfo{}, malformedExecInfo("is not the JSON that kubectl sends")
	}
	switch {
	case given.Kind != execKind:
		return execInfo{}, malformedExecInfo("is not an ExecCredential")
	case given.APIVersion != execV1 && given.APIVersion != execV1beta1:
		return execInfo{}, fault.New(fault.Invalid, "KUBERNETES_EXEC_INFO asks for %s, which is neither %s nor %s", quoted(given.APIVersion), execV1, execV1beta1).
			Hint("set apiVersion of the exec stanza in the kubeconfig to %s", execV1)
	}
	info := execInfo{apiVersion: given.APIVersion}
	if cluster := given.Spec.Cluster; cluster != nil {
		info.server, info.authority = cluster.Server, string(cluster.CertificateAuthorityData)
	}
	return info, nil
}

func malformedExecInfo(what string) error {
	return fault.New(fault.Invalid, "KUBERNETES_EXEC_INFO %s", what).
		Hint("unset it to run kubectl-svcconn by hand: kubectl-svcconn credential --cluster NAME")
}

// kubernetesExec answers kubectl-svcconn credential.
func kubernetesExec(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.KubernetesExecArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	info, err := parseExecInfo(c.body.Reveal())
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	located, err := locateCluster(ctx, c.server.broker, a, info)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	grant, err := c.server.clusterCredential(ctx, located)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if err := info.sameServer(grant); err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	body, err := renderExec(grant, info.apiVersion, c.server.now())
	return wire.Reply{}, body, err
}

// sameServer sees to it that a credential goes to no other server than its connector's,
// where client-go says which one it talks to: a kubeconfig can name a connector and lead
// elsewhere.
func (i execInfo) sameServer(grant broker.Grant) error {
	auth, ok := grant.Credential.(connector.KubernetesAuth)
	if !ok || i.server == "" {
		return nil
	}
	asked, err := connector.ServerURL(i.server)
	own, _ := connector.ServerURL(auth.Endpoint.Server)
	if err == nil && asked == own {
		return nil
	}
	if err != nil { // the text may have a password in it
		asked = "an address that is none of an API server"
	}
	return fault.New(fault.Denied, "the kubeconfig leads to %s, but connector %s is for %s", asked, grant.Connector.Name, auth.Endpoint.Server).
		Hint("svcconn login kubectl --connector %s writes the right server; if the cluster has moved: svcconn update %[1]s --set server=URL", grant.Connector.Name)
}

// locateCluster finds the cluster that is meant: by the flags, else by what client-go
// says of it.
func locateCluster(ctx context.Context, b *broker.Broker, a wire.KubernetesExecArgs, info execInfo) (*broker.Located, error) {
	if a.Connector != "" || a.Cluster != "" {
		return b.Resolve(ctx, broker.Request{Connector: a.Connector, ResourceType: broker.KubernetesCluster, ResourceName: a.Cluster})
	}
	if info.server == "" {
		return nil, fault.New(fault.Invalid, "no cluster is named").
			Hint("let svcconn write the kubeconfig: svcconn login kubectl; or give --connector NAME or --cluster NAME, or set provideClusterInfo: true in the exec stanza")
	}
	server, err := connector.ServerURL(info.server)
	if err != nil {
		return nil, err
	}
	located, err := b.LocateCluster(ctx, server, info.authority)
	if err == nil && located == nil {
		err = fault.New(fault.NotFound, "no connector serves the cluster at %s", server)
	}
	return located, fault.WithHint(err, "`svcconn explain %s` tells the whole decision", server)
}

// clusterCredential gets a credential for the client that runs the plugin: a new one
// where it has evidently seen the former one rejected.
func (s *Server) clusterCredential(ctx context.Context, located *broker.Located) (broker.Grant, error) {
	who := asker{parentProcess(broker.CallerOf(ctx).PID), located.Connector.ID + "/" + located.ResourceName}
	request := broker.Request{Rejected: s.rejections.rejected(who)}
	grant, err := s.broker.CredentialFor(ctx, located, request)
	if request.Rejected != 0 && fault.Is(err, fault.Unavailable) && ctx.Err() == nil {
		// Nothing better is to be had, and the client may have asked for another reason.
		grant, err = s.broker.CredentialFor(ctx, located, broker.Request{})
	}
	if err == nil {
		s.rejections.gave(who, grant.Serial, grant.Until)
	}
	return grant, err
}

// renderExec puts a credential into client-go's form, in the version asked for.
func renderExec(grant broker.Grant, apiVersion string, now time.Time) (secret.Text, error) {
	auth, err := clusterAuthOf(grant)
	if err != nil {
		return secret.Text{}, err
	}
	status := clientauthv1.ExecCredentialStatus{
		ExpirationTimestamp: expiration(grant, now), Token: auth.Token.Reveal(),
		ClientCertificateData: auth.ClientCertificate, ClientKeyData: auth.ClientKey.Reveal(),
	}
	meta := metav1.TypeMeta{APIVersion: apiVersion, Kind: execKind}
	var answer any = clientauthv1.ExecCredential{TypeMeta: meta, Status: &status}
	if apiVersion == execV1beta1 {
		beta := clientauthv1beta1.ExecCredentialStatus(status)
		answer = clientauthv1beta1.ExecCredential{TypeMeta: meta, Status: &beta}
	}
	text, err := json.Marshal(answer)
	return secret.New(string(text) + "\n"), err
}

func clusterAuthOf(grant broker.Grant) (connector.KubernetesAuth, error) {
	auth, ok := grant.Credential.(connector.KubernetesAuth)
	switch {
	case !ok:
		return auth, fault.New(fault.Invalid, "connector %s does not log in to clusters", grant.Connector.Name)
	case auth.Token.IsEmpty() && auth.ClientCertificate == "":
		return auth, errors.New("the credential has neither a token nor a certificate")
	}
	return auth, nil
}

// expiration is what client-go is told as expiry. It uses a credential up to that very
// instant, so the margin is taken off here; and it asks again at once for what is over,
// so that something is left of the shortest lives too. Its resolution is a second.
func expiration(grant broker.Grant, now time.Time) *metav1.Time {
	if grant.Until.IsZero() {
		return nil
	}
	until := grant.Until.Truncate(time.Second)
	if expires := grant.Credential.Expiry(); !until.After(now) {
		until = now.Add(expires.Sub(now) / 2).Truncate(time.Second)
		if !until.After(now) {
			until = until.Add(time.Second)
		}
	}
	out := metav1.NewTime(until.UTC())
	return &out
}

// quoted quotes a client's word for an error.
func quoted(word string) string {
	const most = 80
	text, err := json.Marshal(word[:min(len(word), most)])
	if err != nil {
		return "another version"
	}
	return string(text)
}
