package clientconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Finding says where one tool looks for a registry's login, and what it finds.
type Finding struct {
	Tool   string // Docker, Containers or Kubectl
	File   string // the file that decides, or that a login writes, as the tool names it
	Key    string // what the tool looks up
	Leads  bool   // to svcconn
	Reason string // the entry that decides: "credHelpers names ecr-login"
}

// ExplainDocker tells for docker, and for podman, skopeo and buildah where they are
// in use, whether they come to svcconn for a registry, and by which entry. keys are
// the spellings of this one registry, as for PlanDockerLogin. A file that cannot be
// read is a finding, since the tools stumble over it too.
func ExplainDocker(env Env, keys []string) []Finding {
	if len(keys) == 0 {
		return nil
	}
	dockerKey := keys[0]
	if i := slices.IndexFunc(keys, hasScheme); i >= 0 {
		dockerKey = keys[i] // Docker Hub's, the only one with a scheme
	}
	findings := []Finding{explainDocker(env, dockerKey)}
	if bare := bareKeys(keys); len(bare) > 0 && env.usesContainers() {
		findings = append(findings, explainContainers(env, bare[0]))
	}
	return findings
}

func explainDocker(env Env, key string) Finding {
	f := Finding{Tool: Docker, File: env.DockerFile(), Key: key}
	if inEnvironment(env.Getenv("DOCKER_AUTH_CONFIG"), key) {
		f.Reason = "DOCKER_AUTH_CONFIG holds a plain-text login, which docker prefers to every helper since 28.3"
		return f
	}
	d, err := open(f.File)
	if err != nil {
		f.Reason = err.Error()
		return f
	}
	v := d.dockerDecide(key)
	f.Leads, f.Reason = v.leads, v.reason
	return f
}

// inEnvironment reports whether DOCKER_AUTH_CONFIG has a login for key. Docker takes
// it strictly: with anything else in it, it warns and goes on without.
func inEnvironment(variable, key string) bool {
	var config struct {
		Auths map[string]struct {
			Auth string `json:"auth"`
		} `json:"auths"`
	}
	decoder := json.NewDecoder(strings.NewReader(variable))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&config) != nil {
		return false
	}
	for _, login := range config.Auths {
		if login.Auth == "" {
			return false
		}
	}
	_, found := config.Auths[key]
	return found
}

func explainContainers(env Env, key string) Finding {
	files, undecided := env.ContainersFiles(), env.lastingFile()
	if env.Getenv("REGISTRY_AUTH_FILE") != "" {
		files, undecided = files[:1], files[0] // present versions read nothing else then
	}
	for _, file := range files {
		f := Finding{Tool: Containers, File: file, Key: key}
		d, err := open(file)
		if err != nil {
			f.Reason = err.Error()
			return f
		}
		if v := d.containersDecide(key); v != nil {
			f.Leads, f.Reason = v.leads, v.reason
			return f
		}
	}
	return Finding{Tool: Containers, File: undecided, Key: key,
		Reason: fmt.Sprintf("there is no entry for %s, nor in any other file that is read", key)}
}

// verdict is what a file says about a registry.
type verdict struct {
	leads  bool
	reason string
}

func named(member, name string) verdict {
	return verdict{leads: name == helper, reason: fmt.Sprintf("%s names %s", member, name)}
}

// dockerDecide follows docker: an entry of credHelpers, even an empty one, then
// credsStore, then the file's own logins. No step falls back to the next.
func (d *document) dockerDecide(key string) verdict {
	_, entry := d.find(helperPlace(key))
	name, member := d.helperAt(helperPlace(key)), memberHelpers
	if entry == nil {
		name, member = d.helperAt(storePlace), memberStore
	}
	if name != "" {
		return named(member, name)
	}
	if at, ok := d.holdsLogin(key); ok {
		return verdict{reason: fmt.Sprintf("auths holds a plain-text login for %s", at)}
	}
	if d.read == nil {
		return verdict{reason: "the file does not exist"}
	}
	return verdict{reason: fmt.Sprintf("there is no entry for %s, and no credsStore", key)}
}

// containersDecide follows podman: within one file helpers come first, then logins;
// nil sends it to the next file. An empty file ends the search with an error.
func (d *document) containersDecide(key string) *verdict {
	if d.read != nil && len(bytes.TrimSpace(d.read)) == 0 {
		return &verdict{reason: "the file is empty, not even {}, which these tools do not read"}
	}
	if _, entry := d.find(helperPlace(key)); entry != nil {
		v := named(memberHelpers, d.helperAt(helperPlace(key)))
		return &v
	}
	if at, ok := d.holdsLogin(key); ok {
		return &verdict{reason: fmt.Sprintf("auths holds a plain-text login for %s", at)}
	}
	return nil
}

func open(path string) (*document, error) {
	found, err := read(path)
	if err != nil {
		return nil, err
	}
	return parse(found.path, found.text)
}
