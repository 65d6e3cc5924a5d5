package connectortest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// Bounds in time: how long a caller waits for a service that hangs, and how much
// later a session may notice, on a machine that does much else.
const (
	patience = 300 * time.Millisecond
	slack    = 15 * time.Second
)

// opening checks that Open asks nobody.
func (r *run) opening(c Case) {
	settings, ok := r.settings(c.Good(r.T))
	if !ok {
		return
	}
	host := r.host(c)
	host.HTTP = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		r.wrong("opening it talked to somebody")
		return nil, errors.New("no network here")
	}}
	host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		r.wrong("opening it ran a program")
		return connector.Finished{}, errors.New("no programs here")
	}
	if _, err := r.Type.Open(host, settings); err != nil {
		r.wrong("it does not open: %v", err)
	}
}

// verifying checks that a good login is confirmed.
func (r *run) verifying(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok {
		return
	}
	identity, err := session.Verify(r.Context())
	r.leaks(settings, identity, err)
	r.wrongIf(err != nil, "a good login is refused: %v", err)
	r.wrongIf(err == nil && identity.Name == "", "nobody is who the service says that we are")
	if renewing, ok := session.(connector.Renewing); ok && !settings.Method.RenewsSecrets(settings.Values) {
		r.wrongIf(len(renewing.Renewed()) > 0, "it renews secrets, and the auth method does not say so")
	}
}

// listing checks that what is listed can be asked for.
func (r *run) listing(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok {
		return
	}
	for _, name := range settings.ResourceTypes() {
		t := r.resourceType(name)
		n := 0
		err := session.List(r.Context(), name, func(resource connector.Resource) error {
			n++
			canonical, err := t.Parse(settings.Values, resource.Name)
			r.wrongIf(err != nil || canonical != resource.Name || resource.Type != name, "it lists %+v, canonically %q (%v)", resource, canonical, err)
			return nil
		})
		r.leaks(settings, err)
		if slices.Contains(c.Without, name) {
			r.wrongIf(!fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" || n > 0, "it lists %d of %s, which it gives no access to: %v", n, name, err)
			continue
		}
		r.wrongIf(err != nil || n == 0, "it lists %d of %s: %v", n, name, err)
		stop := errors.New("enough")
		err = session.List(r.Context(), name, func(connector.Resource) error { return stop })
		r.wrongIf(!errors.Is(err, stop), "listing %s goes on when told to stop: %v", name, err)
	}
	err := session.List(r.Context(), "no-such-type", func(connector.Resource) error { return nil })
	r.wrongIf(err == nil, "it lists a resource type that it does not have")
}

// minting checks credentials: their expiry, and that there are none for what the
// connector does not reach.
func (r *run) minting(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok {
		return
	}
	request, ok := r.request(c, settings)
	if !ok {
		return
	}
	now := r.host(c).Now
	before := now()
	credential, err := session.Mint(r.Context(), request)
	r.leaks(settings, credential, err)
	if c.Unmintable {
		r.wrongIf(credential != nil || !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "", "minting what cannot be minted is %q: %v", fault.KindOf(err), err)
		return
	}
	if err != nil || credential == nil {
		r.wrong("it mints nothing: %v", err)
		return
	}
	r.credential(settings, request, credential)
	r.expiry(c, settings, credential.Expiry(), before, now())
	refused := map[string]connector.Request{"another resource type": {ResourceType: "no-such-type", ResourceName: request.ResourceName, Access: connector.ReadWrite}}
	if c.Outside != "" {
		refused["a resource out of reach"] = connector.Request{ResourceType: request.ResourceType, ResourceName: c.Outside, Access: connector.ReadWrite}
	}
	if t := r.resourceType(request.ResourceType); t != nil && t.Instances { // else there is one that can be meant
		refused["a resource without a name"] = connector.Request{ResourceType: request.ResourceType, Access: connector.ReadWrite}
	}
	for what, outside := range refused {
		credential, err := session.Mint(r.Context(), outside)
		r.leaks(settings, credential, err)
		r.wrongIf(err == nil || credential != nil, "it mints for %s: %v, %v", what, credential, err)
	}
}

// request is for what the case names, or the connector's only resource.
func (r *run) request(c Case, settings connector.Settings) (connector.Request, bool) {
	t, name, err := settings.Target(c.ResourceType, c.ResourceName)
	if err != nil {
		r.wrong("the resource of the case: %v", err)
		return connector.Request{}, false
	}
	return connector.Request{ResourceType: t.Name, ResourceName: name, Access: connector.ReadWrite}, true
}

func (r *run) expiry(c Case, settings connector.Settings, expires, before, after time.Time) {
	const rounding = 2 * time.Second // services state whole seconds
	if c.Lifetime == 0 {
		r.wrongIf(!expires.IsZero(), "a credential that does not expire claims to do so at %s", expires)
		r.wrongIf(settings.Method.Temporary, "the auth method calls its credentials temporary, and they do not expire")
		return
	}
	r.wrongIf(settings.Method.Temporary && c.Stored, "the auth method calls its credentials temporary, and hands out what is stored")
	r.wrongIf(!settings.Method.Temporary && !c.Stored, "the auth method does not call its credentials temporary, and they expire")
	earliest, latest := before.Add(c.Lifetime-rounding), after.Add(c.Lifetime+rounding)
	r.wrongIf(expires.Before(earliest) || expires.After(latest), "a credential expires at %s, but the service said between %s and %s", expires, earliest, latest)
}

// wrongSecret checks that a login which the service does not know is called that.
func (r *run) wrongSecret(c Case) {
	session, settings, ok := r.session(c, c.Wrong(r.T))
	if !ok {
		return
	}
	identity, err := session.Verify(r.Context())
	r.leaks(settings, identity, err)
	r.wrongIf(!fault.Is(err, fault.Denied), "a wrong secret is %q, not denied: %v", fault.KindOf(err), err)
}

// gone checks that a service which is not there is called that.
func (r *run) gone(c Case) { r.unavailable(c, c.Gone(r.T), slack) }

// hanging checks that the caller's deadline holds.
func (r *run) hanging(c Case) { r.unavailable(c, c.Hanging(r.T), patience) }

func (r *run) unavailable(c Case, spec connector.Spec, within time.Duration) {
	session, settings, ok := r.session(c, spec)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	now := r.host(c).Now
	start := now()
	identity, err := session.Verify(ctx)
	r.leaks(settings, identity, err)
	r.wrongIf(!fault.Is(err, fault.Unavailable), "the service is %q, not unavailable: %v", fault.KindOf(err), err)
	took := now().Sub(start)
	r.wrongIf(took > within+slack, "it took %s to say so, the caller waited for %s", took, within)
}

// cancelled checks that nobody works for a caller who has gone.
func (r *run) cancelled(c Case) {
	session, settings, ok := r.session(c, c.Hanging(r.T))
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	now := r.host(c).Now
	start := now()
	_, err := session.Verify(ctx)
	r.leaks(settings, err)
	r.wrongIf(!fault.Is(err, fault.Interrupted), "for a caller who has gone, verifying is %q: %v", fault.KindOf(err), err)
	if took := now().Sub(start); took > slack {
		r.wrong("it worked %s for a caller who had gone", took)
	}
}

// concurrent uses one session from many sides; the race detector does the rest.
func (r *run) concurrent(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok {
		return
	}
	request, ok := r.request(c, settings)
	if !ok {
		return
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, verifyErr := session.Verify(r.Context())
			_, mintErr := session.Mint(r.Context(), request)
			if c.Unmintable {
				mintErr = nil
			}
			listErr := session.List(r.Context(), request.ResourceType, func(connector.Resource) error { return nil })
			if err := errors.Join(verifyErr, mintErr, listErr); err != nil {
				r.wrong("used by several at once: %v", err)
			}
		})
	}
	wg.Wait()
}
