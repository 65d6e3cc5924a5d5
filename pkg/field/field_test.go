package field

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const canary = "canary-Vx82kPqL"

var (
	region   = String{Name: "region", Title: "Region", Help: "Where.", Required: true, Example: "eu-central-1"}
	mode     = String{Name: "mode", Title: "Mode", Help: "How.", Default: "fast", Choices: []string{"fast", "slow"}}
	token    = Secret{Name: "api_token", Title: "Token", Help: "Token.", Required: true}
	insecure = Bool{Name: "insecure", Title: "Insecure", Help: "No TLS."}
	retries  = Int{Name: "retries", Title: "Retries", Help: "How often.", Min: 1, Max: 5}
	wait     = Duration{Name: "wait", Title: "Wait", Help: "How long.", Default: "15m", Max: time.Hour}
	scopes   = List{Name: "scopes", Title: "Scopes", Help: "Which."}
	all      = Set{region, mode, token, insecure, retries, wait, scopes}
)

func given(plain map[string]any) Values {
	var v Values
	for name, value := range plain {
		v.Set(name, value)
	}
	v.SetSecret("api-token", secret.New(canary))
	return v
}

func TestCompleteCanonicalisesAndFillsIn(t *testing.T) {
	t.Parallel()
	got, err := all.Complete(given(map[string]any{"region": " eu ", "insecure": "yes", "retries": int64(3), "wait": "900", "scopes": "a, b"}), "method m")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"region": "eu", "mode": "fast", "insecure": true, "retries": int64(3), "wait": "15m0s", "scopes": []string{"a", "b"}}
	if diff := cmp.Diff(want, got.Plain()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if region.Get(got) != "eu" || mode.Get(got) != "fast" || !insecure.Get(got) || retries.Get(got) != 3 || wait.Get(got) != 15*time.Minute ||
		len(scopes.Get(got)) != 2 || token.Get(got).Reveal() != canary {
		t.Error("an accessor reads something else")
	}
	again, err := all.Complete(got, "method m")
	if diff := cmp.Diff(got.Plain(), again.Plain()); diff != "" || err != nil {
		t.Errorf("completing twice differs: %v\n%s", err, diff)
	}
}

func TestCompleteRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plain      map[string]any
		text, hint string
	}{
		"typo":                 {map[string]any{"region": "eu", "regoin": "x"}, `method m has no field "regoin"`, `did you mean "region"`},
		"unknown":              {map[string]any{"region": "eu", "zzz": "x"}, `method m has no field "zzz"`, "the fields are: region, mode"},
		"missing":              {map[string]any{}, `method m needs the field "region"`, "--set region=eu-central-1"},
		"empty":                {map[string]any{"region": "  "}, "field region: the value is empty", ""},
		"NUL":                  {map[string]any{"region": "a\x00b"}, "NUL", ""},
		"not a choice":         {map[string]any{"region": "eu", "mode": "fsat"}, `"fsat" is not one of: fast, slow`, `did you mean "fast"`},
		"not a boolean":        {map[string]any{"region": "eu", "insecure": "maybe"}, "neither true nor false", ""},
		"kind of another":      {map[string]any{"region": int64(7)}, "must be a string, not a whole number", ""},
		"below":                {map[string]any{"region": "eu", "retries": int64(0)}, "below the least value, 1", ""},
		"above":                {map[string]any{"region": "eu", "retries": "6"}, "above the greatest value, 5", ""},
		"too long":             {map[string]any{"region": "eu", "wait": "2h"}, "above the greatest value, 1h0m0s", ""},
		"not a duration":       {map[string]any{"region": "eu", "wait": "soon"}, `"soon" is not a duration`, "90s, 15m"},
		"negative duration":    {map[string]any{"region": "eu", "wait": "-5s"}, "is not a duration", ""},
		"list with an empty":   {map[string]any{"region": "eu", "scopes": "a,,b"}, "the value is empty", ""},
		"list of numbers":      {map[string]any{"region": "eu", "scopes": []any{int64(1)}}, "must be a string", ""},
		"secret in plain text": {map[string]any{"region": "eu", "api_token": canary}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := given(tc.plain)
			if name == "secret in plain text" {
				v.secrets = nil
			}
			_, err := all.Complete(v, "method m")
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.text) || !strings.Contains(fault.HintOf(err), tc.hint) {
				t.Errorf("error %v, hint %q; want %q and %q", err, fault.HintOf(err), tc.text, tc.hint)
			}
			if err != nil && strings.Contains(err.Error()+fault.HintOf(err), canary) {
				t.Error("the error has the secret")
			}
		})
	}
}

func TestSecretsAreNotParsedAndPlainFieldsTakeNone(t *testing.T) {
	t.Parallel()
	if _, err := token.Parse(canary); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("Parse: %v", err)
	}
	if _, err := token.Accept(canary); err == nil {
		t.Error("Accept took a secret from TOML")
	}
	v := given(map[string]any{"region": "eu"})
	v.SetSecret("mode", secret.New("x"))
	if _, err := all.Complete(v, "m"); err == nil || !strings.Contains(err.Error(), "mode is not a secret") {
		t.Errorf("a plain field took a secret: %v", err)
	}
	v = given(map[string]any{"region": "eu"})
	v.SetSecret("api_token", secret.New(""))
	if _, err := all.Complete(v, "m"); err == nil {
		t.Error("an empty secret was accepted")
	}
}

func TestStoredSecretsCountAsGiven(t *testing.T) {
	t.Parallel()
	var v Values
	v.Set("region", "eu")
	if _, err := all.Complete(v, "m"); err == nil {
		t.Fatal("a missing secret was not noticed")
	}
	if _, err := all.CompleteStored(v, []string{"api_token"}, "m"); err != nil {
		t.Errorf("a stored secret does not count: %v", err)
	}
	for _, stored := range [][]string{{"nonsense"}, {"region"}} {
		if _, err := all.CompleteStored(v, stored, "m"); !fault.Is(err, fault.Invalid) {
			t.Errorf("stored %v: %v", stored, err)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"registry", "username", "password", "insecure"}
	for word, want := range map[string]string{
		"regsitry": "registry", "user-name": "username", "passwrod": "password", "PASSWORD": "password",
		"insecur": "insecure", "x": "", "certificate": "", "": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestClonesShareNothing(t *testing.T) {
	t.Parallel()
	v := given(map[string]any{"region": "eu"})
	c := v.Clone()
	c.Unset("region")
	c.Unset("api-token")
	if !v.Has("region") || !v.Has("api_token") || c.Has("region") || c.Has("api_token") {
		t.Error("a clone and its original are one")
	}
}

// FuzzParse: what a field accepts as text, it accepts again in its canonical form and
// makes the same of it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"eu", "fast", "yes", "3", "15m", "a,b", "900", "", " x "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, one := range all {
			value, err := one.Parse(text)
			if err != nil {
				continue
			}
			again, err := one.Accept(value)
			if diff := cmp.Diff(value, again); err != nil || diff != "" {
				t.Errorf("field %s, text %q: %v %s", one.Info().Name, text, err, diff)
			}
		}
	})
}
