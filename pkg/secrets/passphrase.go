package secrets

import (
	"context"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Ask asks a person for a passphrase without showing it; with confirm it asks twice
// and compares. It returns when the person has answered or ctx ends.
type Ask func(ctx context.Context, prompt string, confirm bool) (secret.Text, error)

// passphraseVariable names the environment variable with the path of a file that has
// the passphrase of the file store.
const passphraseVariable = "SVCCONN_PASSPHRASE_FILE"

// passphrase is where the file store's passphrase comes from: a file if there is
// one, else a person, who is asked once in the life of the process, whatever the
// answer. Its user sees to it that one goroutine at a time uses it.
type passphrase struct {
	file    string
	ask     Ask
	refusal error // what came of asking
}

// get returns the passphrase, a new one if it is to be confirmed.
func (p *passphrase) get(ctx context.Context, prompt string, confirm bool) (secret.Text, error) {
	if p.file != "" {
		return p.read(ctx)
	}
	if p.refusal != nil {
		return secret.Text{}, p.refusal
	}
	if p.ask == nil {
		return secret.Text{}, nobodyToAsk(confirm)
	}
	answer, err := p.ask(ctx, prompt, confirm)
	if err == nil && answer.IsEmpty() {
		err = fault.New(fault.NeedsPerson, "no passphrase was given for the file secret store")
	}
	// A caller who went away is no answer.
	if ctx.Err() == nil {
		p.refusal = err
	}
	return answer, err
}

// wrong remembers that the passphrase did not fit.
func (p *passphrase) wrong(err error) {
	if p.file == "" {
		p.refusal = err
	}
}

func (p *passphrase) read(ctx context.Context) (secret.Text, error) {
	content, err := readPrivate(ctx, p.file, anyUse)
	if err == nil {
		var answer secret.Text
		if answer, err = fromBytes(content, "file "+p.file); err == nil {
			return answer, nil
		}
	}
	return secret.Text{}, fault.Within(err, "the passphrase file (%s)", passphraseVariable)
}

func nobodyToAsk(forNew bool) error {
	if forNew {
		return fault.New(fault.NeedsPerson, "the file secret store is not made yet, and nobody is there to choose its passphrase").
			Hint("run svcconn on a terminal, or name a file with the passphrase in %s, or an age identity in secrets.identity_file", passphraseVariable)
	}
	return fault.New(fault.NeedsPerson, "the secret store is locked").
		Hint("svcconn agent unlock, or name a file with the passphrase in %s", passphraseVariable).ForLock()
}
