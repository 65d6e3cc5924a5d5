package clientconfig

import (
	"slices"

	"go.yaml.in/yaml/v3"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// releaseKubectl removes the entries that lead here and are selected.
func releaseKubectl(selected func(name, cluster string) bool) edit {
	return onKubeFile(func(k *kubeFile, r *record) ([]string, []Change, error) {
		var names []string
		var changes []Change
		for _, name := range ownNames(k.config) {
			user := k.config.AuthInfos[name]
			if selected(name, argument(user, execCluster)) {
				names = append(names, name)
				changes = append(changes, Change{Key: name, Before: leadsTo(user)})
			}
		}
		if len(names) == 0 {
			return nil, nil, nil
		}
		current := k.config.CurrentContext
		if err := k.removeLogins(names, r); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(names, func(name string) bool { return k.config.AuthInfos[name] != nil }) {
			return nil, nil, k.unsafe()
		}
		if k.exists && k.config.CurrentContext != current {
			changes = append(changes, Change{Key: memberCurrent, Before: current, After: k.config.CurrentContext})
		}
		r.pruneKube(k.config)
		return names, changes, nil
	})
}

func (k *kubeFile) removeLogins(names []string, r *record) error {
	before := k.config
	clusters := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return usedByOthers(before, name) })
	contexts := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return before.Contexts[name] == nil || before.Contexts[name].AuthInfo != name
	})
	for list, doomed := range map[string][]string{memberUsers: names, memberContexts: contexts, memberClusters: clusters} {
		if err := k.remove(list, doomed); err != nil {
			return err
		}
	}
	if err := k.switchBack(names, r); err != nil {
		return err
	}
	if len(ownNames(k.config)) == 0 && r.knows(place{}) && k.empty(names) {
		k.exists = false
	}
	for _, list := range kubeLists {
		if err := k.restoreList(list, r); err != nil {
			return err
		}
	}
	return k.restoreHeader(r)
}

// usedByOthers reports whether a cluster is not ours to remove: a context that does
// not lead here needs it.
func usedByOthers(config *clientcmdapi.Config, cluster string) bool {
	for _, c := range config.Contexts {
		if c.Cluster == cluster && !leadsHere(config.AuthInfos[c.AuthInfo]) {
			return true
		}
	}
	return false
}

// switchBack makes the context current that was so before a login with --use, unless
// somebody has switched meanwhile.
func (k *kubeFile) switchBack(names []string, r *record) error {
	current := k.config.CurrentContext
	for _, name := range names {
		was, known := r.take(place{memberCurrent, name})
		if !known {
			continue
		}
		for i, other := range r.Replaced { // a later login found this one
			if len(other.Place) == 2 && other.Place[0] == memberCurrent && other.Was != nil && meaning(*other.Was) == name {
				r.Replaced[i].Was = was
			}
		}
		if name != current {
			continue
		}
		if err := k.restoreMember(memberCurrent, was); err != nil {
			return err
		}
		if k.config.CurrentContext != current && slices.Contains(names, k.config.CurrentContext) {
			return k.switchBack(names, r)
		}
	}
	return nil
}

// meaning is the string that a piece of YAML stands for.
func meaning(text string) string {
	var value string
	_ = yaml.Unmarshal([]byte(text), &value)
	return value
}

// restoreList puts a list that has nothing left in it back to what it was.
func (k *kubeFile) restoreList(list string, r *record) error {
	key, value := k.member(list)
	if key == nil || !k.hollowList(list) {
		return nil
	}
	if was, known := r.take(place{list}); known {
		return k.restoreMember(list, was)
	}
	if from, to, err := k.valueText(key, value); err == nil && from == to {
		return k.splice(from, to, " []")
	}
	return nil
}

// restoreHeader takes back what a file without content was given to be a kubeconfig.
func (k *kubeFile) restoreHeader(r *record) error {
	if k.root == nil || len(k.root.Content)/2 > len(kubeHeader) {
		return nil
	}
	for _, member := range kubeHeader {
		if was, known := r.take(place{member[0]}); known {
			if err := k.restoreMember(member[0], was); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty reports whether a kubeconfig says nothing, now that the names are gone.
func (k *kubeFile) empty(names []string) bool {
	if k.root == nil {
		return true
	}
	for i := 0; i+1 < len(k.root.Content); i += 2 {
		switch name, value := k.root.Content[i].Value, k.root.Content[i+1]; name {
		case "kind", "apiVersion":
		default:
			dangling := name == memberCurrent && slices.Contains(names, value.Value)
			if value.Value != "" && value.Tag != "!!null" && !dangling || len(value.Content) > 0 {
				return false
			}
		}
	}
	return true
}
