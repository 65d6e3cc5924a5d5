package oidctest

import "time"

// Behaviour is how an issuer behaves, well or ill. The zero value is an issuer without
// faults, at which every login is approved at once.
type Behaviour struct {
	Subject  string         // who logs in; "" is "jane"
	Claims   map[string]any // further claims of ID tokens, and overrides of the issuer's
	Lifetime time.Duration  // of ID and access tokens; 0 is 5 minutes

	// The person's part.
	Deny        bool // the login is denied
	TamperState bool // the state comes back changed

	// Refresh tokens.
	NoRefreshToken     bool // none are given
	NoIDTokenOnRefresh bool // a refresh gives an access token alone
	// Rotate makes refresh tokens good for one use; a second use revokes all that came
	// of the same login.
	Rotate bool

	// The device endpoint.
	NoDevice        bool          // discovery does not offer it
	DevicePolls     int           // polls before the person has approved without opening the page; 0: he must open it
	DeviceSlowDowns int           // the first polls that are told to slow down
	DeviceInterval  time.Duration // the least time between polls; 0 is 5 s
	DeviceLifetime  time.Duration // 0 is 10 minutes

	// Faults.
	Issuer       string // discovery and tokens name this issuer
	BadSignature bool   // ID tokens are signed by another key
	WrongNonce   bool
	Down         bool // everything answers 503
}

func (b Behaviour) subject() string {
	if b.Subject == "" {
		return "jane"
	}
	return b.Subject
}

func or(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

func (b Behaviour) lifetime() time.Duration { return or(b.Lifetime, 5*time.Minute) }
