package oidctest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// device is one login by device code.
type device struct {
	grant    grant
	userCode string
	interval time.Duration
	last     time.Time // of the last poll; at first, when the code was given
	polls    int
	decided  bool
	denied   bool
}

func (s *Server) deviceAuthorize(w http.ResponseWriter, r *http.Request) {
	client, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	if s.behaviour.NoDevice || !slices.Contains(scopes, "openid") {
		refuse(w, http.StatusBadRequest, "invalid_scope", "the scope openid is missing, or devices are not served")
		return
	}
	lifetime := or(s.behaviour.DeviceLifetime, 10*time.Minute)
	d := &device{
		grant:    grant{client: client, scopes: scopes, expires: s.now().Add(lifetime)},
		userCode: rand.Text()[:4] + "-" + rand.Text()[:4],
		interval: or(s.behaviour.DeviceInterval, 5*time.Second),
		last:     s.now(),
	}
	code := "device-" + rand.Text()
	s.devices[code] = d
	page := s.URL() + string(DevicePage)
	writeJSON(w, http.StatusOK, map[string]any{
		"device_code": code, "user_code": d.userCode, "verification_uri": page,
		"verification_uri_complete": page + "?user_code=" + url.QueryEscape(d.userCode),
		"expires_in":                int(lifetime / time.Second), "interval": int(d.interval / time.Second),
	})
}

// devicePage is where the person gives the code: who opens it is logged in, or denied.
func (s *Server) devicePage(w http.ResponseWriter, r *http.Request) {
	for _, d := range s.devices {
		if d.userCode == r.URL.Query().Get("user_code") {
			d.decided, d.denied = true, s.behaviour.Deny
			fmt.Fprintln(w, "thank you")
			return
		}
	}
	http.Error(w, "the code is unknown", http.StatusNotFound)
}

func (s *Server) byDeviceCode(w http.ResponseWriter, client string, form url.Values) {
	d := s.devices[form.Get("device_code")]
	if d == nil || d.grant.client != client {
		refuse(w, http.StatusBadRequest, "invalid_grant", "the device code is unknown")
		return
	}
	d.polls++
	early := s.now().Sub(d.last) < d.interval*9/10 // networks jitter
	d.last = s.now()
	if s.behaviour.DevicePolls > 0 && d.polls > s.behaviour.DevicePolls {
		d.decided, d.denied = true, s.behaviour.Deny
	}
	switch {
	case !s.now().Before(d.grant.expires):
		refuse(w, http.StatusBadRequest, "expired_token", "")
	case early, d.polls <= s.behaviour.DeviceSlowDowns:
		d.interval += 5 * time.Second
		refuse(w, http.StatusBadRequest, "slow_down", "")
	case !d.decided:
		refuse(w, http.StatusBadRequest, "authorization_pending", "")
	case d.denied:
		refuse(w, http.StatusBadRequest, "access_denied", "the person denied the login")
	default:
		delete(s.devices, form.Get("device_code"))
		s.hand(w, d.grant, s.newFamily(d.grant), true)
	}
}
