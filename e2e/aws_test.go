//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// The region of the tests' connectors, and one that is none of theirs.
const (
	homeRegion = "eu-central-1"
	awayRegion = "us-west-2"
)

// cloud is the AWS that the Docker engine and the authenticator of the EKS cluster
// talk to. Tests that need neither have one of their own.
var cloud struct {
	once   sync.Once
	server *fakeAWS
	err    error
}

// fakeAWS is a fake AWS that the programs reach as they reach the real one, by its
// host names, through a proxy.
type fakeAWS struct {
	*awstest.Server
	bundle string // the file that has its certificate authority
}

func newAWS(dir string) (*fakeAWS, error) {
	server, err := awstest.New(awstest.Options{})
	if err != nil {
		return nil, err
	}
	f := &fakeAWS{server, filepath.Join(dir, "aws-ca.pem")}
	return f, os.WriteFile(f.bundle, []byte(server.CertificateAuthority()), 0o600)
}

// env is what leads a program to it: Go programs by the first two, the AWS CLI and
// botocore by the third in place of the second.
func (f *fakeAWS) env() []string {
	return []string{"HTTPS_PROXY=" + f.ProxyURL(), "SSL_CERT_FILE=" + f.bundle, "AWS_CA_BUNDLE=" + f.bundle, "AWS_EC2_METADATA_DISABLED=true"}
}

func sharedAWS() (*fakeAWS, error) {
	cloud.once.Do(func() { cloud.server, cloud.err = newAWS(suite.dir) })
	return cloud.server, cloud.err
}

func stopAWS() {
	if cloud.server != nil {
		cloud.server.Close()
	}
}

// account is an account of a fake AWS that the world reaches.
type account struct {
	*awstest.Account
	w   *world
	aws *fakeAWS
	ada awstest.Keys // a user's who may do everything
}

// accounts numbers the accounts of the run.
var accounts atomic.Int64

// useAWS gives the world a fake AWS of its own with an account in it, and a keyring.
func (w *world) useAWS() *account {
	w.t.Helper()
	f, err := newAWS(w.root)
	must(w.t, err)
	w.t.Cleanup(func() { f.Close() })
	return w.reach(f, newAccountID())
}

// useSharedAWS gives the world an account in the AWS that the Docker engine and the EKS
// cluster know; "" is one that no other test has.
func (w *world) useSharedAWS(id string) *account {
	w.t.Helper()
	f, err := sharedAWS()
	must(w.t, err)
	return w.reach(f, or(id, newAccountID()))
}

func newAccountID() string { return fmt.Sprintf("1234567%05d", accounts.Add(1)) }

func (w *world) reach(f *fakeAWS, id string) *account {
	w.t.Helper()
	w.startKeyring()
	for _, kv := range f.env() {
		w.setenvPair(kv)
	}
	a := &account{Account: f.Account(id), w: w, aws: f}
	a.ada = a.newUser("ada-" + w.tag())
	return a
}

// tag tells this world's names from those of others in what is shared.
func (w *world) tag() string { return strings.ToLower(filepath.Base(w.root)) }

// newUser makes a user whose keys are secrets of the world.
func (a *account) newUser(name string, policies ...string) awstest.Keys {
	keys := a.User(name, policies...)
	a.w.guardKeys(keys.SecretAccessKey, keys.SessionToken)
	return keys
}

// guardKeys has the secret parts of keys looked for. Of a session token it takes a
// piece that no other has.
func (w *world) guardKeys(texts ...string) {
	for _, text := range texts {
		if text != "" {
			w.guard(text)
		}
	}
}

// awsLogin is one way for svcconn into an account.
type awsLogin struct {
	method string
	fields map[string]string
	flags  []string
	whoami string // part of the ARN that STS tells
}

// role is the best way: a role of the account, which ada may assume.
func (a *account) role(name string, role awstest.Role) awsLogin {
	arn := a.Role(name, role)
	return awsLogin{
		method: "iam-role", whoami: "assumed-role/" + name + "/",
		fields: with(keyFields(a.ada), "role_arn", arn),
	}
}

func keyFields(keys awstest.Keys) map[string]string {
	fields := map[string]string{"aws_access_key_id": keys.AccessKeyID, "aws_secret_access_key": keys.SecretAccessKey}
	if keys.SessionToken != "" {
		fields["aws_session_token"] = keys.SessionToken
	}
	return fields
}

// with adds names and values to fields.
func with(fields map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for name, value := range fields {
		out[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// secretAWSFields are those whose values must not be in argv.
var secretAWSFields = map[string]bool{"aws_secret_access_key": true, "aws_session_token": true}

// registerArgs is the command that registers the login, its secrets in files that
// removePasswords removes.
func (l awsLogin) registerArgs(w *world, name string, more ...string) []string {
	args := []string{"svcconn", "register", name, "--type", "aws", "--auth-method", l.method}
	if l.fields["region"] == "" {
		args = append(args, "--set", "region="+homeRegion)
	}
	args = append(args, w.setArgs(l.fields, secretAWSFields)...)
	return append(append(args, l.flags...), more...)
}

func (l awsLogin) register(w *world, name string, more ...string) result {
	w.t.Helper()
	defer w.removePasswords()
	return w.cmd(l.registerArgs(w, name, more...)...).run()
}

// registeredAWS is a world with an AWS of its own and one registered connector, called
// prod, whose role may do everything.
func registeredAWS(t *testing.T, shows string, more ...string) (*world, *account) {
	t.Helper()
	w := newWorld(t, shows)
	a := w.useAWS()
	a.role("dev", awstest.Role{}).register(w, "prod", more...).exits(0).says("prod")
	a.aws.ResetCalls()
	return w, a
}

// calls are the services' actions that were asked for by the account's principals since
// the last reset, in order.
func (a *account) calls() (list []string) {
	for _, call := range a.aws.Calls() {
		if call.Account == a.ID() && call.Service != "registry" {
			list = append(list, call.Service+":"+call.Action)
		}
	}
	return list
}

// wantCalls requires these calls and no others since the last time, in any order.
func (a *account) wantCalls(when string, want ...string) {
	a.w.t.Helper()
	if got := a.calls(); !sameWords(got, want) {
		a.w.t.Errorf("%s: AWS was asked for %v, want %v", when, got, want)
	}
	a.aws.ResetCalls()
}

func sameWords(got, want []string) bool {
	count := map[string]int{}
	for _, word := range got {
		count[word]++
	}
	for _, word := range want {
		count[word]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// debianAWS is the AWS CLI 2 of Debian; another in PATH may be older and younger.
const debianAWS = "/usr/bin/aws"

// awsCLIs are the different AWS CLIs of this machine: version → path.
var awsCLIs = sync.OnceValue(func() map[string]string {
	found := map[string]string{}
	other, _ := exec.LookPath("aws")
	for _, path := range []string{debianAWS, other} {
		if version := versionOf(path, "--version"); path != "" && version != "" && found[version] == "" {
			found[version] = path
		}
	}
	return found
})

// eachAWSCLI runs a test for every AWS CLI of the machine.
func eachAWSCLI(t *testing.T, test func(t *testing.T, aws string)) {
	t.Parallel()
	need(t, debianAWS)
	for version, path := range awsCLIs() {
		t.Run("aws-"+version, func(t *testing.T) { t.Parallel(); test(t, path) })
	}
}
