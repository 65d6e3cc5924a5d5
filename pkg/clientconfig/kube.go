package clientconfig

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Kubectl is kubectl, helm and all else that reads a kubeconfig.
const Kubectl = "kubectl"

// KubeFiles are the files of which kubectl makes one kubeconfig, in its order: those
// of $KUBECONFIG, else ~/.kube/config. They need not exist.
func (e Env) KubeFiles() []string {
	var files []string
	for _, file := range filepath.SplitList(e.Getenv("KUBECONFIG")) {
		if file != "" && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		files = []string{filepath.Join(e.Home, ".kube", "config")}
	}
	return files
}

// kubeDefault is the file that gets what is new, by kubectl's rule: the first that
// exists, else the last.
func (e Env) kubeDefault() string {
	files := e.KubeFiles()
	for _, file := range files {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return files[len(files)-1]
}

// kubeFiles reads all of them; those that do not exist are left out.
func (e Env) kubeFiles() (map[string]*kubeFile, error) {
	found := map[string]*kubeFile{}
	for _, path := range e.KubeFiles() {
		file, err := read(path)
		if err != nil {
			return nil, err
		}
		if file.text == nil {
			continue
		}
		if found[path], err = parseKube(file.path, file.text); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// PlanKubeLogin plans to lead kubectl to svcconn for the clusters. An entry of ours is
// changed where it is; a new one goes where kubectl would put it. An entry with a
// login's name that is not ours is an error, in whichever of kubectl's files it is.
// With use, the first login's context becomes the current one.
func PlanKubeLogin(env Env, logins []KubeLogin, use bool) (*Plan, error) {
	files, err := env.kubeFiles()
	if err != nil {
		return nil, err
	}
	byFile := map[string][]KubeLogin{}
	for i, l := range logins {
		if slices.Contains(namesOf(logins[:i]), l.Name) {
			return nil, fault.New(fault.Ambiguous, "two clusters would both be called %s in the kubeconfig", l.Name).
				Hint("log in to one of them under another name: svcconn login kubectl %s --connector %s --context NAME", l.Endpoint.Cluster, l.Connector)
		}
		path, err := env.kubePlace(files, l)
		if err != nil {
			return nil, err
		}
		byFile[path] = append(byFile[path], l)
	}
	return newPlan(env, env.kubeSteps(byFile, logins, use)...)
}

// kubePlace is the file that a login's entries belong into.
func (e Env) kubePlace(files map[string]*kubeFile, l KubeLogin) (string, error) {
	path := e.kubeDefault()
	found := false
	for _, at := range e.KubeFiles() {
		k := files[at]
		if k == nil {
			continue
		}
		if err := foreign(k.file, k.config, l); err != nil {
			return "", err
		}
		if !found && leadsHere(k.config.AuthInfos[l.Name]) {
			path, found = at, true
		}
	}
	return path, nil
}

func (e Env) kubeSteps(byFile map[string][]KubeLogin, logins []KubeLogin, use bool) []step {
	var steps []step
	for _, path := range e.KubeFiles() {
		current := ""
		if use && path == e.kubeDefault() && len(logins) > 0 {
			current = logins[0].Name
		}
		if here := byFile[path]; len(here) > 0 || current != "" {
			steps = append(steps, kubeStep(path, false, leadKubectl(here, current)))
		}
	}
	return steps
}

func kubeStep(path string, undo bool, edit edit) step {
	return step{tool: Kubectl, path: path, undo: undo, edit: edit, lock: path + ".lock", redacted: snapshotText.redactedKube}
}

// PlanKubeLogout plans to remove the entries that lead to svcconn and have one of the
// names, be it the context's or the cluster's; all of them if no name is given. It
// looks in kubectl's files and in those that a login changed.
func PlanKubeLogout(env Env, names []string) (*Plan, error) {
	selected := func(name, cluster string) bool {
		return len(names) == 0 || slices.Contains(names, name) || slices.Contains(names, cluster)
	}
	var steps []step
	for _, path := range slices.Backward(env.kubePointerFiles()) {
		steps = append(steps, kubeStep(path, true, releaseKubectl(selected)))
	}
	p, err := newPlan(env, steps...)
	if err == nil {
		p.notices = logoutNotices(p)
	}
	return p, err
}

func (e Env) kubePointerFiles() []string {
	return append(e.KubeFiles(), e.journal().files(Kubectl)...)
}

func logoutNotices(p *Plan) []string {
	var notices []string
	for _, f := range p.files {
		k, err := parseKube(f.after.path, f.after.text)
		if err != nil || f.after.text == nil || k.config.CurrentContext == "" {
			continue
		}
		if slices.ContainsFunc(f.changes, func(c Change) bool { return c.Key == k.config.CurrentContext }) {
			notices = append(notices, danglingNotice(f.after.path, k.config.CurrentContext))
		}
	}
	return notices
}

// kubeLockWait is how long kubectl's own lock is waited for; kubectl holds it for
// milliseconds.
const kubeLockWait = 5 * time.Second

// lockLikeKubectl takes the lock that clientcmd takes when it writes a kubeconfig: a
// file beside it that may not be there. (kubectl does not wait for it, but fails; we
// hold it for one write.)
func lockLikeKubectl(ctx context.Context, path string) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, kubeLockWait)
	defer cancel()
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0)
		switch {
		case err == nil:
			_ = file.Close()
			return func() { _ = os.Remove(path) }, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, adviseWrite(path, fault.New(fault.Failed, "cannot lock the kubeconfig: %w", err))
		}
		select {
		case <-ctx.Done():
			return nil, fault.New(fault.Unavailable, "another program is writing the kubeconfig: it holds the lock %s", path).
				Hint("if no kubectl is running, it left the lock behind: remove %s", path)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
