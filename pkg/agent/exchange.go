package agent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/secret"
)

// offerLife is how long what the executable answered can be exchanged. Libraries do so at
// once.
const offerLife = time.Minute

// unknownLife is what is said of a token that does not say when it ends: libraries ask
// again by then.
const unknownLife = time.Hour

// exchange is where gcloud and the libraries of Google get access tokens from the agent.
//
// They take tokens of others only in a roundabout way: they run an executable for a
// subject token, and present that to a token service
// (https://google.aip.dev/auth/4117, https://www.rfc-editor.org/rfc/rfc8693). The
// executable is svcconn, which only a user of the agent's socket can ask; the subject
// token is a nonce that is good once, for a minute; the service is the agent, at an
// address of the loopback interface that the credential file names (see package
// clientconfig). Whoever else on this machine connects to it has no nonce and learns
// nothing. It neither logs nor writes anything.
//
// It stays open as long as the agent lives: between the two steps nobody else can take
// its place.
type exchange struct {
	now func() time.Time
	key []byte // of the digests: nothing is found by comparing secrets

	mu      sync.Mutex
	closed  bool
	servers map[netip.AddrPort]*exchangeServer
	offers  map[digest]offer
	holders map[digest]holder // by the tokens that were handed out
}

type digest [sha256.Size]byte

// offer is a token that waits for its nonce.
type offer struct {
	token connector.AccessToken
	via   string // the connector, and what of it
	until time.Time
}

// holder is whose a token is, as long as it is good.
type holder struct {
	who   string
	until time.Time
}

func newExchange(now func() time.Time) *exchange {
	x := &exchange{
		now: now, key: make([]byte, sha256.Size),
		servers: map[netip.AddrPort]*exchangeServer{}, offers: map[digest]offer{}, holders: map[digest]holder{},
	}
	_, _ = rand.Read(x.key) // never fails
	return x
}

func (x *exchange) digest(text string) (sum digest) {
	mac := hmac.New(sha256.New, x.key)
	_, _ = mac.Write([]byte(text))
	mac.Sum(sum[:0])
	return sum
}

// offer keeps a token for whoever comes with the nonce.
func (x *exchange) offer(token connector.AccessToken, via string) (nonce secret.Text, until time.Time) {
	text := rand.Text()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sweep()
	until = x.now().Add(offerLife)
	x.offers[x.digest(text)] = offer{token, via, until}
	return secret.New(text), until
}

// redeem takes the token that waits for a nonce.
func (x *exchange) redeem(nonce string) (connector.AccessToken, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sweep()
	sum := x.digest(nonce)
	found, ok := x.offers[sum]
	if !ok {
		return connector.AccessToken{}, false
	}
	delete(x.offers, sum)
	token := x.digest(found.token.Token.Reveal())
	x.holders[token] = holder{found.name(token), x.now().Add(x.lifeOf(found.token))}
	return found.token, true
}

// name is what gcloud calls the token's account. It is no account of gcloud's own, and
// another one for every token: gcloud keeps tokens in a file by that name, and would
// take one that it has rather than ours.
func (o offer) name(token digest) string {
	return strings.TrimSpace(fmt.Sprintf("%s (svcconn %s, %x)", o.token.Principal, o.via, token[:4]))
}

// lifeOf is how long a token is good from now on.
func (x *exchange) lifeOf(token connector.AccessToken) time.Duration {
	if token.Expires.IsZero() {
		return unknownLife
	}
	return token.Expires.Sub(x.now())
}

// waits reports until when somebody may come with a nonce.
func (x *exchange) waits() (until time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.offers {
		if o.until.After(until) {
			until = o.until
		}
	}
	return until
}

// holder tells whose a token is that was handed out here.
func (x *exchange) holder(token string) (holder, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sweep()
	found, ok := x.holders[x.digest(token)]
	return found, ok
}

// sweep forgets what is over. x.mu is held.
func (x *exchange) sweep() {
	now := x.now()
	maps.DeleteFunc(x.offers, func(_ digest, o offer) bool { return !o.until.After(now) })
	maps.DeleteFunc(x.holders, func(_ digest, h holder) bool { return !h.until.After(now) })
}
