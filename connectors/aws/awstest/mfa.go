package awstest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// mfaDevice is a virtual MFA device, RFC 6238: six digits, a new one every 30 seconds.
type mfaDevice struct {
	serial string
	seed   []byte
	used   uint64 // the last step whose code was used
}

const (
	totpStep  = 30 * time.Second
	totpDrift = 1 // steps that a device's clock may be off
	seedBytes = 20
)

// MFADevice gives a user, made at first use, a further device of multi-factor
// authentication. code is what the device shows now by Options.Now; each code is good for
// one use.
func (a *Account) MFADevice(userName string) (serial string, code func() string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	u := a.user(userName)
	d := &mfaDevice{serial: a.iam("mfa/" + userName), seed: make([]byte, seedBytes)}
	_, _ = rand.Read(d.seed) // never fails
	if n := len(u.devices); n > 0 {
		d.serial += fmt.Sprintf("-%d", n+1)
	}
	u.devices = append(u.devices, d)
	now := a.server.options.Now
	return d.serial, func() string { return d.code(step(now())) }
}

func step(at time.Time) uint64 { return uint64(at.Unix()) / uint64(totpStep/time.Second) }

// code is the code of a step. https://www.rfc-editor.org/rfc/rfc4226#section-5.3
func (d *mfaDevice) code(step uint64) string {
	mac := hmac.New(sha1.New, d.seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, step))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%1_000_000)
}

// accept says whether a code is right, and was not used before.
func (d *mfaDevice) accept(code string, at time.Time) bool {
	now := step(at)
	for s := now - totpDrift; s <= now+totpDrift; s++ {
		if s > d.used && hmac.Equal([]byte(code), []byte(d.code(s))) {
			d.used = s
			return true
		}
	}
	return false
}

// mfa checks SerialNumber and TokenCode, and tells whether they were there.
func (r *request) mfa() (bool, error) {
	serial, err := r.text(serialParameter)
	if err != nil {
		return false, err
	}
	code, err := r.text(tokenCodeParameter)
	if err != nil || serial == "" && code == "" {
		return false, err
	}
	const failed = "MultiFactorAuthentication failed"
	if serial == "" || code == "" {
		return false, r.refuse(denied, failed+", must provide both MFA serial number and one time pass code.")
	}
	var devices []*mfaDevice
	if r.who.user != nil {
		devices = r.who.user.devices
	}
	i := slices.IndexFunc(devices, func(d *mfaDevice) bool { return d.serial == serial })
	if i < 0 {
		return false, r.refuse(denied, failed+", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
	if !devices[i].accept(code, r.now) {
		return false, r.refuse(denied, failed+" with invalid MFA one time pass code. ")
	}
	return true, nil
}
