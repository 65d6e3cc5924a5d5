package secrets

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// maxSecretFile is the largest file, stream or command output that is taken for a
// secret.
const maxSecretFile = 1 << 20

// Permissions that others must not have.
const (
	writable fs.FileMode = 0o022
	anyUse   fs.FileMode = 0o077
)

// ReadFile reads a secret from a file or a named pipe, whole, but for one newline at
// its end. It refuses what is empty, larger than 1 MiB or writable by others than
// its owner; what is empty or too large is fault.Invalid, the rest fault.Failed. The
// error never has content.
func ReadFile(ctx context.Context, path string) (secret.Text, error) {
	content, err := readPrivate(ctx, path, writable)
	if err != nil {
		return secret.Text{}, err
	}
	return fromBytes(content, "file "+path)
}

// ReadStream reads a secret from a stream (stdin) under the rules of ReadFile.
func ReadStream(r io.Reader) (secret.Text, error) {
	content, err := readLimited(r)
	if err != nil {
		return secret.Text{}, fault.Within(err, "the secret on stdin")
	}
	return fromBytes(content, "secret on stdin")
}

// readPrivate reads a small file that the permissions in forbidden are not given on.
// It looks at what it has opened: there is no moment to swap the file in.
func readPrivate(ctx context.Context, path string, forbidden fs.FileMode) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openNonblocking, 0)
	if err != nil {
		return nil, fault.New(fault.Failed, "cannot read %s: %w", path, reason(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fault.New(fault.Failed, "cannot read %s: %w", path, reason(err))
	}
	if mode := info.Mode(); !mode.IsRegular() && mode&fs.ModeNamedPipe == 0 {
		return nil, fault.New(fault.Invalid, "%s is neither a file nor a pipe", path)
	}
	if err := checkMode(path, info, forbidden); err != nil {
		return nil, err
	}
	// Pipes wait for their writer; only a deadline gets us out of that.
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	content, err := readLimited(file)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return content, fault.Within(err, "cannot read %s", path)
}

func readLimited(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxSecretFile+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(content) > maxSecretFile {
		return nil, fault.New(fault.Invalid, "it is larger than 1 MiB")
	}
	return content, nil
}

// fromBytes makes a secret of what an editor, echo or a command wrote.
func fromBytes(content []byte, what string) (secret.Text, error) {
	text := string(content)
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
		if n > 1 && text[n-2] == '\r' {
			text = text[:n-2]
		}
	}
	if text == "" {
		return secret.Text{}, fault.New(fault.Invalid, "the %s is empty", what)
	}
	return secret.New(text), nil
}

// reason drops the path that os puts into its errors: ours name it already.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
