package agent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/svcconn/svcconn/pkg/secret"
)

// remembered is how many hand-outs of a registry are recognised: docker logs in with
// one of the last.
const remembered = 16

// echoes recognises what was handed out when it comes back: docker login stores the
// very secret that the helper gave it. It keeps keyed digests, never secrets.
type echoes struct {
	key []byte

	mu     sync.Mutex
	recent map[string][][sha256.Size]byte // by resource name
}

func newEchoes() *echoes {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &echoes{key: key, recent: map[string][][sha256.Size]byte{}}
}

func (e *echoes) digest(username string, text secret.Text) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, e.key)
	_, _ = mac.Write([]byte(username + "\x00" + text.Reveal()))
	mac.Sum(sum[:0])
	return sum
}

func (e *echoes) remember(resource, username string, text secret.Text) {
	sum := e.digest(username, text)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.recent[resource], sum) {
		e.recent[resource] = append(e.recent[resource], sum)
		e.recent[resource] = e.recent[resource][max(0, len(e.recent[resource])-remembered):]
	}
}

func (e *echoes) known(resource, username string, text secret.Text) bool {
	sum := e.digest(username, text)
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.recent[resource], sum)
}

func (e *echoes) forget(resource string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.recent, resource)
}
