package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// The project of the demo and what is in it.
const (
	project    = "demo-project"
	location   = "europe-west1"
	repository = location + "-docker.pkg.dev/" + project + "/team"
	gkeCluster = "demo"
)

// google is the part with Google Cloud: one that runs inside this program, and that
// programs reach by Google's own host names, through a proxy.
func google(s *stage) error {
	g, err := gcptest.New(gcptest.Options{PageSize: 100})
	if err != nil {
		return err
	}
	defer g.Close()
	for _, act := range []func(*stage, *gcptest.Server) error{prepareGoogle, registerGoogle, bucketGoogle, pushGoogle, tokenGoogle, askedGoogle} {
		if err := act(s, g); err != nil {
			return err
		}
	}
	return nil
}

func prepareGoogle(s *stage, g *gcptest.Server) error {
	s.title("11. A Google Cloud, inside this program: it checks every signature, scope and access boundary")
	p := g.Project(project)
	account := p.ServiceAccount("demo")
	p.Bucket(bucket, "EU").Put("hello.txt", "hello from a bucket")
	p.Bucket("payroll", "EU").Put("salaries.txt", "not for everybody")
	p.Repository(location, "team", gcptest.Repository{})
	p.Cluster(location, gkeCluster, gcptest.Cluster{CertificateAuthority: g.CertificateAuthority()})
	key := account.Key()
	var parts struct {
		Key string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(key), &parts); err != nil {
		return err
	}
	s.secrets = append(s.secrets, strings.Split(parts.Key, "\n")[1:4]...) // as it is, and as JSON has it
	ca := filepath.Join(s.dir, "google-ca.pem")
	s.env = append(s.env, "HTTPS_PROXY="+g.ProxyURL(), "SSL_CERT_FILE="+ca)
	s.say("The key of its service account demo lies, in plain text, where Google's libraries look for it.")
	for path, text := range map[string]string{ca: g.CertificateAuthority(), s.adc(): key} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	return s.show("", "svcconn", "agent", "stop") // so that the next one knows the proxy
}

// adc is where Google's libraries look for credentials.
func (s *stage) adc() string {
	return filepath.Join(s.home, ".config", "gcloud", "application_default_credentials.json")
}

func registerGoogle(s *stage, _ *gcptest.Server) error {
	s.title("12. Register it: svcconn sees that the file is a key and moves in. The file can go")
	if err := s.show("", "svcconn", "register", "gcp-auto", "--type", "gcp", "--auto-configure"); err != nil {
		return err
	}
	if err := s.show("", "rm", s.adc()); err != nil {
		return err
	}
	return s.show("", "svcconn", "agent", "unlock")
}

func bucketGoogle(s *stage, g *gcptest.Server) error {
	s.title("13. A token for one bucket, to read: Google's credential access boundary holds it there")
	token, err := s.capture("svcconn", "credential", "--connector", "gcp-auto", "-r", "gcs-bucket", "-n", "gs://"+bucket, "--access", "read", "--format", "token")
	if err != nil {
		return err
	}
	for _, ask := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/storage/v1/b/" + bucket + "/o/hello.txt?alt=media", http.StatusOK},
		{http.MethodPost, "/upload/storage/v1/b/" + bucket + "/o?uploadType=media&name=new.txt", http.StatusForbidden},
		{http.MethodGet, "/storage/v1/b/payroll/o/salaries.txt?alt=media", http.StatusForbidden},
	} {
		status, answer, err := asBearer(g, ask.method, ask.path, token)
		if err != nil {
			return err
		}
		s.say(fmt.Sprintf("%-4s %-65s  %d  %s", ask.method, ask.path, status, answer))
		if status != ask.want {
			return fmt.Errorf("%s %s was answered with %d, want %d", ask.method, ask.path, status, ask.want)
		}
	}
	return nil
}

// asBearer asks Google with a token, and returns the first of what it says.
func asBearer(g *gcptest.Server, method, path, token string) (status int, answer string, err error) {
	req, err := http.NewRequest(method, g.URL()+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	var refused struct{ Error struct{ Message string } }
	if json.Unmarshal(body, &refused) == nil {
		body = []byte(refused.Error.Message)
	}
	return resp.StatusCode, string(body), err
}

func pushGoogle(s *stage, _ *gcptest.Server) error {
	s.title("14. crane pushes to Artifact Registry, which takes nothing but Google's own tokens")
	if err := s.show("", "svcconn", "login", "docker", location+"-docker.pkg.dev"); err != nil {
		return err
	}
	layer, err := s.layer()
	if err != nil {
		return err
	}
	return s.show("", "crane", "append", "--new_layer", layer, "--new_tag", repository+"/app:1")
}

func tokenGoogle(s *stage, g *gcptest.Server) error {
	s.title("15. A token for GKE: the webhook of a cluster says whom it is of")
	token, err := s.capture("svcconn", "credential", "--connector", "gcp-auto", "-r", "kubernetes-cluster", "-n", gkeCluster, "--format", "token")
	if err != nil {
		return err
	}
	review, err := json.Marshal(map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": map[string]string{"token": token}})
	if err != nil {
		return err
	}
	answer := httptest.NewRecorder()
	g.Authenticator().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(review)))
	var reviewed struct {
		Status struct {
			Authenticated bool
			User          struct{ Username string }
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &reviewed); err != nil {
		return err
	}
	s.say(fmt.Sprintf("authenticated: %v, user %s", reviewed.Status.Authenticated, reviewed.Status.User.Username))
	if !reviewed.Status.Authenticated {
		return errors.New("the cluster does not know the token")
	}
	return nil
}

func askedGoogle(s *stage, g *gcptest.Server) error {
	s.title("    What svcconn did, as its audit log has it, and what Google was asked")
	if err := s.audit(); err != nil {
		return err
	}
	var lines []string
	count := map[string]int{}
	for _, call := range g.Calls() {
		line := strings.TrimSpace(fmt.Sprintf("%s  %-16s  %-18s  %s  %s", call.Time.Format(time.TimeOnly), call.Service, call.Action, call.Principal, call.Code))
		if count[line]++; count[line] == 1 && call.Service != "registry" && call.Service != "gke" {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		if n := count[line]; n > 1 {
			line += fmt.Sprintf("  × %d", n)
		}
		s.say(line)
	}
	return nil
}
