package awstest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// ssoClient is a registered client: a program that people log in with.
type ssoClient struct {
	secret  string
	scopes  []string
	expires time.Time
}

// ssoDevice is a login under way.
type ssoDevice struct {
	client, userCode string
	expires          time.Time
	interval         time.Duration
	polled           time.Time
	state            deviceState
}

type deviceState int

const (
	pending deviceState = iota
	approved
	declined
)

// The lifetimes that IAM Identity Center gives, how often it wants to be asked, and by how
// much that grows for who asks more often (RFC 8628).
const (
	clientLifetime = 90 * 24 * time.Hour
	deviceLifetime = 10 * time.Minute
	pollInterval   = time.Second
	slowDownBy     = 5 * time.Second
)

// accessScope is the scope of logins that can be refreshed.
const accessScope = "sso:account:access"

// ApproveDevice says yes to the login with that user code, as somebody at a browser would.
// It reports whether one is waiting for it.
func (s *Server) ApproveDevice(userCode string) bool { return s.decide(userCode, approved) }

// DenyDevice says no to the login with that user code.
func (s *Server) DenyDevice(userCode string) bool { return s.decide(userCode, declined) }

func (s *Server) decide(userCode string, state deviceState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.others.sso {
		for _, d := range c.devices {
			if d.userCode == userCode && d.state == pending && s.now().Before(d.expires) {
				d.state = state
				return true
			}
		}
	}
	return false
}

// UserCodes are those of the logins that wait for somebody at a browser.
func (s *Server) UserCodes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.others.sso {
		for _, d := range c.devices {
			if d.state == pending && s.now().Before(d.expires) {
				out = append(out, d.userCode)
			}
		}
	}
	slices.Sort(out)
	return out
}

// SignOut ends all logins at the Identity Center with that start URL, refresh tokens and
// all. Keys that it gave out stay good until they end, as at AWS.
func (s *Server) SignOut(startURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.others.sso[startURL]; c != nil {
		clear(c.tokens)
		clear(c.refresh)
	}
}

// ssoLoginService is where clients log people in: OAuth 2.0 for devices.
// https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/Welcome.html
func ssoLoginService() *service {
	operations := map[string]operation{
		"RegisterClient": ssoRegisterClient, "StartDeviceAuthorization": ssoStartDevice, "CreateToken": ssoCreateToken,
	}
	return &service{
		name: "sso-oauth", protocol: protocol{failOAuth, restJSONWords}, action: ssoLoginAction, operations: operations,
		public: namesOf(operations), unsigned: func(r *request) bool { return ssoLoginAction(r) != "" },
	}
}

func ssoLoginAction(r *request) string {
	return map[string]string{
		"POST /client/register":      "RegisterClient",
		"POST /device_authorization": "StartDeviceAuthorization",
		"POST /token":                "CreateToken",
	}[r.Method+" "+r.URL.Path]
}

// oauthCodes are OAuth's codes of errors, by AWS's.
var oauthCodes = map[string]string{
	"AccessDeniedException":          "access_denied",
	"AuthorizationPendingException":  "authorization_pending",
	"ExpiredTokenException":          "expired_token",
	"InvalidClientException":         "invalid_client",
	"InvalidClientMetadataException": "invalid_client_metadata",
	"InvalidGrantException":          "invalid_grant",
	"InvalidScopeException":          "invalid_scope",
	"SlowDownException":              "slow_down",
	"UnsupportedGrantTypeException":  "unsupported_grant_type",
}

func failOAuth(_ *request, e *apiError) answer {
	body, _ := json.Marshal(map[string]string{"error": cmp.Or(oauthCodes[e.code], "invalid_request"), "error_description": e.message})
	header := contentType("application/json")
	header.Set("X-Amzn-Errortype", e.code)
	return e.answer(header, body)
}

func ssoRegisterClient(r *request) (answer, error) {
	var in struct {
		ClientName, ClientType string
		Scopes                 []string
	}
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	switch {
	case in.ClientName == "":
		return answer{}, invalid("InvalidRequestException", "Invalid client name")
	case in.ClientType != "public":
		return answer{}, invalid("InvalidClientMetadataException", "Invalid client type")
	case slices.ContainsFunc(in.Scopes, func(scope string) bool { return scope != accessScope }):
		return answer{}, invalid("InvalidScopeException", "Invalid scope")
	}
	id, client := rand.Text(), &ssoClient{secret: randomSecret(300), scopes: in.Scopes, expires: r.now.Add(clientLifetime)}
	r.server.others.ssoClients[id] = client
	return answerJSON(map[string]any{
		"clientId": id, "clientSecret": client.secret, "clientIdIssuedAt": r.now.Unix(), "clientSecretExpiresAt": client.expires.Unix(),
	})
}

// client finds the client of an id, if that is its secret.
func (r *request) client(id, secret string) (*ssoClient, error) {
	client := r.server.others.ssoClients[id]
	if client == nil || client.secret != secret || !r.now.Before(client.expires) {
		return nil, &apiError{status: http.StatusUnauthorized, code: "InvalidClientException", message: "Invalid client ID or secret, or they have expired"}
	}
	return client, nil
}

func ssoStartDevice(r *request) (answer, error) {
	var in struct{ ClientID, ClientSecret, StartURL string }
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if _, err := r.client(in.ClientID, in.ClientSecret); err != nil {
		return answer{}, err
	}
	c := r.server.others.sso[in.StartURL]
	if c == nil || !r.isAt(c.Region) {
		return answer{}, invalid("InvalidRequestException", "Invalid start URL")
	}
	code, text := rand.Text()+rand.Text(), rand.Text()
	d := &ssoDevice{client: in.ClientID, userCode: text[:4] + "-" + text[4:8], expires: r.now.Add(deviceLifetime), interval: pollInterval}
	if c.AutoApprove {
		d.state = approved
	}
	c.devices[code] = d
	verify := "https://device.sso." + c.Region + ".amazonaws.com/"
	return answerJSON(map[string]any{
		"deviceCode": code, "userCode": d.userCode, "verificationUri": verify, "verificationUriComplete": verify + "?user_code=" + d.userCode,
		"expiresIn": int(deviceLifetime.Seconds()), "interval": int(pollInterval.Seconds()),
	})
}

type createToken struct{ ClientID, ClientSecret, GrantType, DeviceCode, RefreshToken string }

func ssoCreateToken(r *request) (answer, error) {
	var in createToken
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	client, err := r.client(in.ClientID, in.ClientSecret)
	if err != nil {
		return answer{}, err
	}
	var c *identityCenter
	switch in.GrantType {
	case "urn:ietf:params:oauth:grant-type:device_code":
		c, err = r.grantDevice(in)
	case "refresh_token":
		c, err = r.grantRefresh(in)
	default:
		err = invalid("UnsupportedGrantTypeException", "Unsupported grant type: %s", in.GrantType)
	}
	if err != nil {
		return answer{}, err
	}
	return answerJSON(r.newLogin(c, client, in.ClientID))
}

// grantDevice finds the Identity Center that a device was let in at.
func (r *request) grantDevice(in createToken) (*identityCenter, error) {
	for _, c := range r.server.others.sso {
		d := c.devices[in.DeviceCode]
		if d == nil || d.client != in.ClientID || !r.isAt(c.Region) {
			continue
		}
		if err := d.poll(r.now); err != nil {
			return nil, err
		}
		delete(c.devices, in.DeviceCode) // a code is good for one login
		return c, nil
	}
	return nil, invalid("InvalidGrantException", "Invalid device code")
}

// poll answers whoever asks whether the login is done.
func (d *ssoDevice) poll(now time.Time) error {
	early := !d.polled.IsZero() && now.Sub(d.polled) < d.interval-d.interval/10 // clocks and networks vary
	d.polled = now
	switch {
	case !now.Before(d.expires):
		return invalid("ExpiredTokenException", "The device code has expired")
	case early:
		d.interval += slowDownBy
		return invalid("SlowDownException", "The client is asking too often")
	case d.state == declined:
		return invalid("AccessDeniedException", "The user denied the request")
	case d.state == pending:
		return invalid("AuthorizationPendingException", "The user has not answered yet")
	}
	return nil
}

// grantRefresh finds the Identity Center of a refresh token, which is used up by it.
func (r *request) grantRefresh(in createToken) (*identityCenter, error) {
	for _, c := range r.server.others.sso {
		if owner, known := c.refresh[in.RefreshToken]; known && owner == in.ClientID && r.isAt(c.Region) {
			delete(c.refresh, in.RefreshToken)
			return c, nil
		}
	}
	return nil, invalid("InvalidGrantException", "Invalid refresh token")
}

// newLogin is the tokens of a login.
func (r *request) newLogin(c *identityCenter, client *ssoClient, id string) map[string]any {
	access := "aoa" + randomSecret(300)
	c.tokens[access] = r.now.Add(c.TokenLifetime)
	out := map[string]any{"accessToken": access, "tokenType": "Bearer", "expiresIn": int(c.TokenLifetime.Seconds())}
	if slices.Contains(client.scopes, accessScope) {
		refresh := "aor" + randomSecret(300)
		c.refresh[refresh] = id
		out["refreshToken"] = refresh
	}
	return out
}
