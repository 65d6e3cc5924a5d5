//go:build e2e && linux

package e2e

import "testing"

// TestJourney is the main job: register once, then push, pull, run and log out
// with every client, at registries with basic and with token authentication.
func TestJourney(t *testing.T) {
	t.Parallel()
	for _, c := range clients(t) {
		for auth, s := range map[string]setup{"basic": {}, "token": {tokens: true}} {
			t.Run(c.name+"/"+auth, func(t *testing.T) {
				t.Parallel()
				journey(t, c, s)
			})
		}
	}
}

func journey(t *testing.T, c client, s setup) {
	moves := "push, pull"
	if c.start != nil {
		moves = "build, push, pull, run"
	}
	w := newWorld(t, "register, login docker, "+moves+", logout; then a push is refused")
	c.prepare(w)
	w.startKeyring()
	r := w.startRegistry(s)
	ref, greeting := r.host+"/team/app:1", w.unique("hello-"+r.host[len("127.0.0.1:"):]+"-")
	w.register("hub", r).exits(0).says(r.host)
	w.ok("svcconn", "login", "docker", r.host)
	c.make(w, ref, greeting)
	c.push(w, ref).run().exits(0)
	c.drop(w, ref)
	c.pull(w, ref).run().exits(0)
	if c.start != nil {
		c.start(w, ref).run().exits(0).prints(greeting)
	}
	w.ok("svcconn", "logout", "docker", r.host)
	c.push(w, ref).run().refused()
}
