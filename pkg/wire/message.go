package wire

import (
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Protocol is the version of the messages. A server refuses another one with
// fault.Invalid and says both.
const Protocol = 1

// Release is the version of this build, set by the linker; "devel" where nobody
// set it. A server that is older than its client gives way to a newer one.
var Release = "devel"

// The operations, each with what its request carries and what its answer brings.
const (
	Ping           = "ping"            // → Pong
	DockerGet      = "docker.get"      // body: server URL → Absent or body: the JSON for docker
	DockerStore    = "docker.store"    // body: docker's JSON →
	DockerErase    = "docker.erase"    // body: server URL →
	DockerList     = "docker.list"     // → body: the JSON for docker
	KubeletGet     = "kubelet.get"     // body: kubelet's CredentialProviderRequest → body: its CredentialProviderResponse
	KubernetesExec = "kubernetes.exec" // KubernetesExecArgs, body: KUBERNETES_EXEC_INFO or nothing → body: the ExecCredential for kubectl
	GetCredential  = "credential"      // CredentialArgs → body: rendered in the format asked for
	AWSProcess     = "aws.process"     // the same for an AWS SDK that waits: nobody is there, and it has a minute
	GoogleToken    = "google.token"    // the same for gcloud or an SDK of Google that waits → body: its executable's answer, whose token CredentialArgs.Exchange takes
	Resources      = "resources"       // ResourcesArgs → items ResourceRow
	Verify         = "verify"          // VerifyArgs → Verified
	Explain        = "explain"         // ExplainArgs → Explanation
	AgentStatus    = "agent.status"    // → Status
	AgentStop      = "agent.stop"      // →
	AgentForget    = "agent.forget"    // ForgetArgs → Forgot
	AgentUnlock    = "agent.unlock"    // body: passphrase of the file secret store →
)

// Request is the header of a client's first frame for an operation.
type Request struct {
	Protocol int             `json:"v"`
	Op       string          `json:"op"`
	Client   Client          `json:"client"`
	Config   string          `json:"config,omitempty"` // the folder that the client means; a server for another one refuses
	Args     json.RawMessage `json:"args,omitempty"`
}

// Client is who asks, as the client says. A transport that knows better (the peer
// of a unix socket) overrides PID.
type Client struct {
	Binary  string `json:"binary"`
	Release string `json:"release"`
	PID     int    `json:"pid"`
}

// The events that a Reply can be.
const (
	Working  = "working"  // the answer takes a while; Budget says how long at most
	Ask      = "ask"      // the server needs the client's environment variable Name; an Answer follows
	Item     = "item"     // one result of several, in Data
	Progress = "progress" // Text for a person who waits
	Notice   = "notice"   // Text for a person, whatever comes
	Success  = "done"     // the last frame: Data or body has the answer
	Failure  = "error"    // the last frame: Error
	GiveWay  = "give-way" // the last frame: the server is older than the client and stops; connect anew
)

// Reply is the header of a server's frame. Success, Failure and GiveWay end an
// operation; the connection may then carry another.
type Reply struct {
	Event  string          `json:"event"`
	Absent bool            `json:"absent,omitempty"` // docker.get: no connector serves the address
	Name   string          `json:"name,omitempty"`
	Text   string          `json:"text,omitempty"`
	Budget time.Duration   `json:"budget,omitempty"` // nanoseconds
	Data   json.RawMessage `json:"data,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

// Answer is the header of a client's frame after Ask; the body has the value.
type Answer struct {
	Set bool `json:"set"`
}

// Error is a fault on the wire.
type Error struct {
	Kind    fault.Kind `json:"kind"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
	Locked  bool       `json:"locked,omitempty"` // unlocking the secret store would mend it
}

// FromFault puts an error on the wire; the kind, the message and the advice stay.
func FromFault(err error) *Error {
	return &Error{Kind: fault.KindOf(err), Message: err.Error(), Hint: fault.HintOf(err), Locked: fault.IsLocked(err)}
}

// Fault takes an error off the wire; nil is none.
func (e *Error) Fault() error {
	if e == nil {
		return nil
	}
	err := fault.New(e.Kind, "%s", e.Message)
	if e.Hint != "" {
		err = err.Hint("%s", e.Hint)
	}
	if e.Locked {
		err = err.ForLock()
	}
	return err
}

// Pong answers Ping.
type Pong struct {
	Release  string `json:"release"`
	Protocol int    `json:"protocol"`
	PID      int    `json:"pid"`
	Config   string `json:"config"`
}

// CredentialArgs ask for one credential. Connector may be a name, an id or a
// prefix of one, or "" where the resource tells.
type CredentialArgs struct {
	Connector    string        `json:"connector,omitempty"`
	ResourceType string        `json:"resource_type,omitempty"`
	ResourceName string        `json:"resource_name,omitempty"`
	ReadOnly     bool          `json:"read_only,omitempty"`
	Lifetime     time.Duration `json:"lifetime,omitempty"`
	Left         time.Duration `json:"left,omitempty"` // the life that shall be left, where lifetimes allow; nanoseconds
	Format       string        `json:"format"`
	// Exchange is the loopback address, host:port, where google.token's answer shall be
	// exchanged for the credential.
	Exchange string `json:"exchange,omitempty"`
}

// KubernetesExecArgs name the cluster that kubectl wants a credential for. Both may be
// left out where KUBERNETES_EXEC_INFO tells the cluster (provideClusterInfo).
type KubernetesExecArgs struct {
	Connector string `json:"connector,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
}

// ResourcesArgs filter a listing; empty filters let everything through.
type ResourcesArgs struct {
	Connector     string `json:"connector,omitempty"`
	ConnectorType string `json:"connector_type,omitempty"`
	ResourceType  string `json:"resource_type,omitempty"`
	ResourceName  string `json:"resource_name,omitempty"`
}

// ResourceRow is one connector's resources of one type: the JSON of cli.md.
type ResourceRow struct {
	ConnectorID   string   `json:"connector_id"`
	ConnectorName string   `json:"connector_name"`
	ConnectorType string   `json:"connector_type"`
	ResourceType  string   `json:"resource_type"`
	ResourceNames []string `json:"resource_names"`
	Error         *string  `json:"error"`
}

// VerifyArgs ask who the service says that a connector is, and what it reaches.
type VerifyArgs struct {
	Connector    string `json:"connector"`
	ResourceType string `json:"resource_type,omitempty"`
	ResourceName string `json:"resource_name,omitempty"`
	IdentityOnly bool   `json:"identity_only,omitempty"`
}

// Identity is who a service says that a connector is.
type Identity struct {
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// Verified is the JSON of `svcconn verify`. Error is set where the verification as
// a whole failed; Kind and Hint then say more.
type Verified struct {
	Connector string        `json:"connector"`
	Identity  *Identity     `json:"identity"`
	Resources []ResourceRow `json:"resources"`
	Error     *string       `json:"error"`
	Failure   *Error        `json:"failure,omitempty"` // Error with its kind and hint, on the wire alone
}

// ExplainArgs name what shall be explained: a registry's host, or a cluster's name or
// server. ResourceType tells the two apart; "" leaves that to what is registered.
type ExplainArgs struct {
	Subject      string `json:"subject"`
	ResourceType string `json:"resource_type,omitempty"`
	Connector    string `json:"connector,omitempty"` // that the native tool names: it is not looked for
}

// Explanation is the whole decision about an address or a resource name.
type Explanation struct {
	Subject      string       `json:"subject"`
	ResourceType string       `json:"resource_type"`
	Address      string       `json:"address"` // as svcconn reads the subject
	Verdict      string       `json:"verdict"` // one sentence
	Connector    string       `json:"connector,omitempty"`
	ResourceName string       `json:"resource_name,omitempty"`
	Reason       string       `json:"reason"`
	Candidates   []Candidate  `json:"candidates"`
	Clients      []ClientFile `json:"clients"`
	Kept         *Kept        `json:"kept"`
	LastError    *Error       `json:"last_error"`
	Hint         string       `json:"hint,omitempty"`
}

// Candidate is a connector that was looked at, and why it serves or does not.
type Candidate struct {
	Connector string `json:"connector"`
	Serves    bool   `json:"serves"`
	Reason    string `json:"reason"`
}

// ClientFile is a native tool's configuration and whether it leads to svcconn.
type ClientFile struct {
	Tool   string `json:"tool"`
	File   string `json:"file"`
	Leads  bool   `json:"leads"`
	Reason string `json:"reason"`
}

// Kept describes a kept credential without its value. Expires is nil for one that
// does not expire; it is then dropped at Until.
type Kept struct {
	Connector    string     `json:"connector"`
	ResourceType string     `json:"resource_type"`
	ResourceName string     `json:"resource_name"`
	Minted       time.Time  `json:"minted_at"`
	Expires      *time.Time `json:"expires_at"`
	Until        time.Time  `json:"kept_until"`
	Uses         int64      `json:"uses"`
}

// Status is what the agent says of itself.
type Status struct {
	Running  bool       `json:"running"`
	PID      int        `json:"pid,omitempty"`
	Release  string     `json:"release,omitempty"`
	Socket   string     `json:"socket"`
	Config   string     `json:"config"`
	Started  *time.Time `json:"started_at,omitempty"`
	ExitsAt  *time.Time `json:"exits_at,omitempty"`
	Unlocked bool       `json:"unlocked"` // it holds the key of the file secret store
	Kept     []Kept     `json:"kept"`
	// Exchanges are the loopback addresses where it takes the tokens of google.token.
	Exchanges []string `json:"exchanges,omitempty"`
}

// ForgetArgs name a connector, or all with "".
type ForgetArgs struct {
	Connector string `json:"connector,omitempty"`
}

// Forgot says how many kept credentials were dropped.
type Forgot struct {
	Credentials int `json:"credentials"`
}
