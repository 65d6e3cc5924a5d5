package clientconfig

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/fault"
)

// The members that a file without content gets.
var kubeHeader = [][2]string{{"kind", "Config"}, {"apiVersion", "v1"}}

// onKubeFile is an edit of a kubeconfig. Whatever it does, kubectl must read the
// outcome, and find nothing changed but the entries named.
func onKubeFile(change func(*kubeFile, *record) (names []string, changes []Change, err error)) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		k, err := parseKube(file, text)
		if err != nil {
			return nil, nil, err
		}
		r.pruneKube(k.config)
		before := k.config
		names, changes, err := change(k, r)
		if err != nil || len(changes) == 0 {
			return text, nil, err
		}
		if err := k.confirm(before, names); err != nil {
			return nil, nil, err
		}
		for i := range changes {
			changes[i].Tool, changes[i].File = Kubectl, file
		}
		if !k.exists {
			return nil, changes, nil
		}
		return append([]byte{}, k.text...), changes, nil // an empty file is no missing one
	}
}

// leadKubectl writes the entries of the logins, and makes the context named use the
// current one unless it is "".
func leadKubectl(logins []KubeLogin, use string) edit {
	return onKubeFile(func(k *kubeFile, r *record) ([]string, []Change, error) {
		blank := k.root == nil
		if len(ownNames(k.config)) == 0 && !k.exists {
			r.note(place{}, nil)
			k.exists = true
		}
		changes, err := k.addLogins(logins, r)
		if err == nil && use != "" && k.config.CurrentContext != use {
			changes = append(changes, Change{Key: memberCurrent, Before: k.config.CurrentContext, After: use})
			err = k.switchTo(use, r)
		}
		if err == nil && blank && len(changes) > 0 {
			for _, member := range kubeHeader {
				r.note(place{member[0]}, nil)
				if err == nil {
					err = k.addScalar(member[0], member[1])
				}
			}
		}
		if err == nil && !k.leads(logins, use) {
			err = k.unsafe()
		}
		return namesOf(logins), changes, err
	})
}

// leads reports whether kubectl finds what was wanted.
func (k *kubeFile) leads(logins []KubeLogin, use string) bool {
	for _, l := range logins {
		for list, item := range l.items() {
			if !reflect.DeepEqual(itemOf(k.config, list, l.Name), &item) {
				return false
			}
		}
	}
	return use == "" || k.config.CurrentContext == use
}

func namesOf(logins []KubeLogin) []string {
	names := make([]string, len(logins))
	for i, l := range logins {
		names[i] = l.Name
	}
	return names
}

// addLogins adds the entries that are not there as wanted.
func (k *kubeFile) addLogins(logins []KubeLogin, r *record) ([]Change, error) {
	wanted := map[string][]kubeItem{}
	var changes []Change
	for _, l := range logins {
		if err := foreign(k.file, k.config, l); err != nil {
			return nil, err
		}
		complete := true
		for list, item := range l.items() {
			if !reflect.DeepEqual(itemOf(k.config, list, l.Name), &item) {
				wanted[list] = append(wanted[list], item)
				complete = false
			}
		}
		if !complete {
			changes = append(changes, Change{Key: l.Name, Before: leadsTo(k.config.AuthInfos[l.Name]), After: "connector " + l.Connector})
		}
	}
	for _, list := range kubeLists {
		if err := k.addItems(list, wanted[list], r); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (k *kubeFile) addItems(list string, items []kubeItem, r *record) error {
	if len(items) == 0 {
		return nil
	}
	var names []string
	for _, item := range items {
		names = append(names, item.Name)
	}
	if err := k.remove(list, names); err != nil {
		return err
	}
	if !k.hollowList(list) {
		return k.insert(list, items)
	}
	was, err := k.fill(list, items)
	if !r.knows(place{list}) {
		r.note(place{list}, was)
	}
	return err
}

// switchTo makes a context the current one.
func (k *kubeFile) switchTo(context string, r *record) error {
	at := place{memberCurrent, context}
	r.take(at) // somebody has switched away meanwhile
	key, value := k.member(memberCurrent)
	if key == nil {
		r.note(at, nil)
		return k.addScalar(memberCurrent, context)
	}
	from, to, err := k.valueText(key, value)
	if err != nil {
		return err
	}
	was := string(k.text[from:to])
	r.note(at, &was)
	text := yamlText(context)
	if isFlow(k.root) {
		text = jsonText(context)
	}
	space := was[:len(was)-len(strings.TrimLeft(was, " \t"))]
	return k.setText(key, value, space+text)
}

// foreign returns an error if an entry that is not ours has a login's name.
func foreign(file string, config *clientcmdapi.Config, l KubeLogin) error {
	user, context := config.AuthInfos[l.Name], config.Contexts[l.Name]
	cluster := itemOf(config, memberClusters, l.Name)
	ours := leadsHere(user)
	wanted := l.items()[memberClusters]
	kind := ""
	switch {
	case user != nil && !ours:
		kind = "user"
	case context != nil && (!ours || context.AuthInfo != l.Name):
		kind = "context"
	case cluster != nil && !ours && !reflect.DeepEqual(cluster, &wanted):
		kind = "cluster"
	default:
		return nil
	}
	return fault.New(fault.Failed, "%s has a %s %q already that svcconn did not write", file, kind, l.Name).
		Hint("choose another name: svcconn login kubectl %s --connector %s --context %s-svcconn", l.Endpoint.Cluster, l.Connector, l.Name)
}

// leadsTo names the connector that a user of ours leads to, "" for every other user.
func leadsTo(user *clientcmdapi.AuthInfo) string {
	switch {
	case !leadsHere(user):
		return ""
	case argument(user, execConnector) == "":
		return "whichever connector serves it"
	}
	return "connector " + argument(user, execConnector)
}

// pruneKube forgets what counts no more because nothing leads here.
func (r *record) pruneKube(config *clientcmdapi.Config) {
	own := ownNames(config)
	r.Replaced = slices.DeleteFunc(r.Replaced, func(old replacement) bool {
		return len(own) == 0 || len(old.Place) == 2 && !slices.Contains(own, old.Place[1])
	})
}

// confirm compares the outcome of an edit with what was there before, as kubectl
// reads both: only entries with the names may differ.
func (k *kubeFile) confirm(before *clientcmdapi.Config, names []string) error {
	if k.exists && !sameBut(before, k.config, names) {
		return k.unsafe()
	}
	return nil
}

func (k *kubeFile) unsafe() error {
	return fault.New(fault.Failed, "%s is laid out in a way that svcconn cannot edit safely; nothing was changed", k.file).
		Hint("`kubectl config view --raw` writes it in the usual layout")
}

func sameBut(a, b *clientcmdapi.Config, names []string) bool {
	x, y := a.DeepCopy(), b.DeepCopy()
	for _, c := range []*clientcmdapi.Config{x, y} {
		c.CurrentContext, c.Kind, c.APIVersion = "", "", ""
		for _, name := range names {
			delete(c.Clusters, name)
			delete(c.Contexts, name)
			delete(c.AuthInfos, name)
		}
	}
	return reflect.DeepEqual(x, y)
}

// knows reports whether it is recorded what was at a place.
func (r *record) knows(p place) bool {
	return slices.ContainsFunc(r.Replaced, func(old replacement) bool { return slices.Equal(old.Place, p) })
}

// danglingNotice says that kubectl's current context is gone with a logout.
func danglingNotice(file, context string) string {
	return fmt.Sprintf("%s still has %s as its current context; choose another: kubectl config use-context NAME", file, context)
}
