package agent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

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
	erased map[string]time.Time           // by resource name
}

func newEchoes() *echoes {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &echoes{key: key, recent: map[string][][sha256.Size]byte{}, erased: map[string]time.Time{}}
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

// oneLogout is how far apart the erases of one docker logout can be: it runs up to
// four, for spellings of the same registry.
const oneLogout = 5 * time.Second

// firstErase reports whether an erase is the first of a docker logout.
func (e *echoes) firstErase(resource string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	last, seen := e.erased[resource]
	e.erased[resource] = now
	return !seen || now.Sub(last) > oneLogout
}
