package awstest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SSO is an IAM Identity Center: who may be what role in which account.
type SSO struct {
	StartURL string // such as https://example.awsapps.com/start
	Region   string // "" is us-east-1
	// User is who logs in; "" is "jane".
	User string
	// Assignments are the names of the permission sets, by account. They are roles there:
	// an account's role of that name, or one that has all rights.
	Assignments map[string][]string
	// AutoApprove approves each login at once, as if somebody were at a browser.
	AutoApprove bool
	// TokenLifetime is how long a login lasts before it needs the refresh token; 0 is an
	// hour.
	TokenLifetime time.Duration
	// KeyLifetime is how long the keys of a role last; 0 is an hour.
	KeyLifetime time.Duration
}

// identityCenter is one with what it gave out.
type identityCenter struct {
	SSO
	devices map[string]*ssoDevice // by device code
	tokens  map[string]time.Time
	refresh map[string]string // by refresh token: the id of the client
}

// SSO makes an IAM Identity Center, or changes it. Logins at it start anew.
func (s *Server) SSO(o SSO) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Region, o.User = cmp.Or(o.Region, globalRegion), cmp.Or(o.User, "jane")
	o.TokenLifetime, o.KeyLifetime = cmp.Or(o.TokenLifetime, time.Hour), cmp.Or(o.KeyLifetime, time.Hour)
	o.Assignments = maps.Clone(o.Assignments)
	s.others.sso[o.StartURL] = &identityCenter{SSO: o, devices: map[string]*ssoDevice{}, tokens: map[string]time.Time{}, refresh: map[string]string{}}
}

// ssoService is the portal: it lists accounts and roles, and hands out keys.
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/welcome.html
func ssoService() *service {
	operations := map[string]operation{
		"GetRoleCredentials": ssoGetRoleCredentials, "ListAccounts": ssoListAccounts, "ListAccountRoles": ssoListAccountRoles, "Logout": ssoLogout,
	}
	return &service{
		name: "sso", protocol: restJSON, action: ssoAction, operations: operations, public: namesOf(operations),
		unsigned: func(r *request) bool { return ssoAction(r) != "" },
	}
}

func namesOf(operations map[string]operation) map[string]bool {
	out := map[string]bool{}
	for name := range operations {
		out[name] = true
	}
	return out
}

func ssoAction(r *request) string {
	return map[string]string{
		"GET /federation/credentials": "GetRoleCredentials",
		"GET /assignment/accounts":    "ListAccounts",
		"GET /assignment/roles":       "ListAccountRoles",
		"POST /logout":                "Logout",
	}[r.Method+" "+r.URL.Path]
}

// bearerHeader is where the portal's clients put the token.
const bearerHeader = "X-Amz-Sso_bearer_token"

func unauthorized(message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, code: "UnauthorizedException", message: message}
}

// center is the Identity Center whose token a request bears.
func (r *request) center() (*identityCenter, error) {
	token := r.Header.Get(bearerHeader)
	for _, c := range r.server.others.sso {
		if ends, known := c.tokens[token]; known && r.now.Before(ends) && r.isAt(c.Region) {
			return c, nil
		}
	}
	return nil, unauthorized("Session token not found or invalid")
}

// isAt says whether a request is for a region: as its host says, if that is one of AWS's
// own.
func (r *request) isAt(region string) bool {
	host, ours := parseHost(r.Host)
	return !ours || host.region == region
}

func ssoGetRoleCredentials(r *request) (answer, error) {
	c, err := r.center()
	if err != nil {
		return answer{}, err
	}
	account, role := r.form.Get("account_id"), r.form.Get("role_name")
	if account == "" || role == "" {
		return answer{}, invalid("InvalidRequestException", "Request is missing account_id or role_name")
	}
	if !slices.Contains(c.Assignments[account], role) {
		return answer{}, &apiError{status: http.StatusForbidden, code: "ForbiddenException", message: "No access"}
	}
	key := r.server.issue(c.permissionSet(r.server.account(account), role), c.KeyLifetime)
	return answerJSON(map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": key.id, "secretAccessKey": key.secret, "sessionToken": key.token, "expiration": key.expires.UnixMilli(),
	}})
}

// permissionSet is a session of the role that a permission set is in an account.
func (c *identityCenter) permissionSet(account *Account, name string) *principal {
	reserved := "AWSReservedSSO_" + name + "_" + strings.ToLower(uniqueID("", account.id, name))[:16]
	set := &role{account: account, name: reserved, arn: account.iam("role/aws-reserved/sso.amazonaws.com/" + reserved), policies: orAll(nil)}
	if own := account.roles[name]; own != nil {
		set.policies = own.policies
	}
	return set.session(c.User)
}

func ssoListAccounts(r *request) (answer, error) {
	c, err := r.center()
	if err != nil {
		return answer{}, err
	}
	found, next, err := r.portalPage(slices.Collect(maps.Keys(c.Assignments)), list{c.StartURL})
	out := []map[string]any{}
	for _, id := range found {
		out = append(out, map[string]any{"accountId": id, "accountName": "account " + id, "emailAddress": "root@" + id + ".example.com"})
	}
	return answerPortal("accountList", out, next, err)
}

func ssoListAccountRoles(r *request) (answer, error) {
	c, err := r.center()
	if err != nil {
		return answer{}, err
	}
	account := r.form.Get("account_id")
	if c.Assignments[account] == nil {
		return answer{}, &apiError{status: http.StatusForbidden, code: "ForbiddenException", message: "No access"}
	}
	found, next, err := r.portalPage(c.Assignments[account], list{c.StartURL, account})
	out := []map[string]any{}
	for _, role := range found {
		out = append(out, map[string]any{"roleName": role, "accountId": account})
	}
	return answerPortal("roleList", out, next, err)
}

func answerPortal(name string, items []map[string]any, next string, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answerJSON(paged(map[string]any{name: items}, next))
}

// portalPage is a page of a list of the portal.
func (r *request) portalPage(all []string, selection list) (found []string, next string, err error) {
	most, err := strconv.Atoi(cmp.Or(r.form.Get("max_result"), "100"))
	if err != nil || most < 1 || most > 100 {
		return nil, "", invalid("InvalidRequestException", "max_result must be between 1 and 100")
	}
	found, next, ok := page(r, selection, all, strings.Clone, r.form.Get("next_token"), most)
	if !ok {
		return nil, "", invalid("InvalidRequestException", "Invalid next token")
	}
	return found, next, nil
}

func ssoLogout(r *request) (answer, error) {
	c, err := r.center()
	if err != nil {
		return answer{}, err
	}
	delete(c.tokens, r.Header.Get(bearerHeader))
	return answer{}, nil
}
