package agentclient

import (
	"encoding/hex"
	"errors"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/svcconn/svcconn/pkg/fault"
)

// maxSocket is what fits into sun_path on every platform (104 on macOS and the
// BSDs, 108 on Linux), less the terminating NUL.
const maxSocket = 103

// Socket is where the agent of a runtime folder listens. A folder whose name is too
// long for a socket gets one in a private folder below the temporary one, named
// after a digest. The folder, where it exists, must be ours and closed to others.
func Socket(runtimeDir string) (string, error) {
	socket := filepath.Join(runtimeDir, "agent.sock")
	if len(socket) > maxSocket {
		digest := fnv.New128a()
		_, _ = digest.Write([]byte(runtimeDir))
		socket = filepath.Join(os.TempDir(), "svcconn-"+userTag(), hex.EncodeToString(digest.Sum(nil)), "agent.sock")
	}
	dir := filepath.Dir(socket)
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return socket, nil
	}
	if err != nil {
		return "", fault.New(fault.Failed, "cannot look at the agent's folder %s: %w", dir, err)
	}
	if reason := unsafeDir(info); reason != "" {
		return "", fault.New(fault.Denied, "the agent's folder %s is not safe: %s", dir, reason).
			Hint("`chmod 700 %s` if it is yours, or set SVCCONN_RUNTIME_DIR to a folder of your own", dir)
	}
	return socket, nil
}
