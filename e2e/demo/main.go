// Command demo shows svcconn's main job on this machine, in temporary folders and
// without root: a registry with authentication runs inside this program, is
// registered, and a real client (crane) pushes and pulls an image, getting the login
// from docker-credential-svcconn. Then the same with a fake AWS, which is strict about
// signatures and policies: ECR, S3 by AWS's SDK, and EKS; and with a fake Google Cloud:
// Storage, Artifact Registry and GKE. At the end it searches everything that was written for
// the password, the keys and the tokens, and cleans up.
//
//	make demo
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/svcconn/svcconn/pkg/registrytest"
)

// crane is the client: a released tool of others, unchanged.
const crane = "github.com/google/go-containerregistry/cmd/crane@v0.22.1"

func main() {
	bin := flag.String("bin", "bin", "the folder of the three binaries")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *bin)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string) (err error) {
	password := "demo-" + rand.Text()
	registry, err := registrytest.New(registrytest.Options{
		Mode: registrytest.Bearer, Users: map[string]registrytest.User{"demo": {Password: password}},
	})
	if err != nil {
		return err
	}
	defer registry.Close()
	s, err := newStage(ctx, bin, password)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, act := range []func(*stage, *registrytest.Server) error{prepare, register, push, pull, asked} {
		if err := act(s, registry); err != nil {
			return err
		}
	}
	for _, part := range []func(*stage) error{cloud, google} {
		if err := part(s); err != nil {
			return err
		}
	}
	if err := searched(s); err != nil {
		return err
	}
	fmt.Println("\nThe main job works. Next: `svcconn register --help`, or README.md.")
	return nil
}

func prepare(s *stage, registry *registrytest.Server) error {
	s.title("A registry with token authentication, like Docker Hub, listens on " + registry.Host())
	s.say("Secrets go to an encrypted file here, so that the demo leaves your keyring alone;")
	s.say("without SVCCONN_SECRETS=file they go to the OS keyring.")
	s.say("Getting crane, a real client, ready …")
	return s.buildCrane()
}

func register(s *stage, registry *registrytest.Server) error {
	s.title("1. Register the registry once. The password comes on stdin, never in an argument")
	if err := s.show(s.secrets[0], "svcconn", "register", "demo", "--type", "docker", "--set", "username=demo", "--set", "password=-", "--set", "registry="+registry.Host()); err != nil {
		return err
	}
	s.title("2. Point docker, and whoever reads its configuration, at svcconn")
	if err := s.show("", "svcconn", "login", "docker", registry.Host()); err != nil {
		return err
	}
	return s.show("", "cat", filepath.Join(s.home, ".docker", "config.json"))
}

func push(s *stage, registry *registrytest.Server) error {
	s.title("   The agent holds what it mints in memory alone. It may open the encrypted file until it ends")
	if err := s.show("", "svcconn", "agent", "unlock"); err != nil {
		return err
	}
	s.title("3. A real client pushes an image: it asks docker-credential-svcconn by itself")
	layer, err := s.layer()
	if err != nil {
		return err
	}
	return s.show("", "crane", "append", "--new_layer", layer, "--new_tag", registry.Host()+"/team/app:1")
}

func pull(s *stage, registry *registrytest.Server) error {
	s.title("4. … and pulls it")
	if err := s.show("", "crane", "pull", registry.Host()+"/team/app:1", filepath.Join(s.dir, "app.tar")); err != nil {
		return err
	}
	return s.show("", "svcconn", "list-resources")
}

func asked(s *stage, registry *registrytest.Server) error {
	s.title("5. What was asked, as the audit log has it")
	if err := s.audit(); err != nil {
		return err
	}
	if err := s.show("", "svcconn", "explain", registry.Host()); err != nil {
		return err
	}
	refused, granted := 0, 0
	for _, r := range registry.Requests() {
		if r.Status == 401 {
			refused++
		} else if r.Status < 300 {
			granted++
		}
	}
	s.say(fmt.Sprintf("The registry granted %d requests and challenged %d that came without a token.", granted, refused))
	if granted == 0 || refused == 0 {
		return errors.New("the registry was not asked for a login at all")
	}
	return nil
}

func searched(s *stage) error {
	s.title("16. No secret is on disk: searching every file that was written")
	files, err := s.search()
	if err != nil {
		return err
	}
	s.say(fmt.Sprintf("%d files searched; the password, the keys and the tokens are in none of them, plain, in base64 or URL-encoded.", files))
	return nil
}
