// Package wire is the protocol between the front-ends and the process that hosts
// a broker: versioned messages in frames, over any stream of bytes (a unix
// socket, the stdin and stdout of a child). Nothing in a message depends on the
// transport.
//
// A frame is two 32-bit big-endian lengths, a header in JSON and a body in bytes.
// Secrets travel in bodies only: a header can be logged, a body cannot.
//
// It links the standard library only and refuses to know what a connector is.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/svcconn/svcconn/pkg/secret"
)

// Limits of a frame, in bytes. A peer that announces more is not one of ours.
const (
	MaxHeader = 4 << 20
	MaxBody   = 16 << 20
)

// ErrTooLarge is returned for a frame beyond the limits, read or written.
var ErrTooLarge = errors.New("wire: frame too large")

// Write sends one frame with one call of w.Write.
func Write(w io.Writer, header any, body secret.Text) error {
	head, quick := encode(header)
	if !quick {
		var err error
		if head, err = json.Marshal(header); err != nil {
			return fmt.Errorf("wire: %w", err)
		}
	}
	if len(head) > MaxHeader || body.Len() > MaxBody {
		return ErrTooLarge
	}
	frame := make([]byte, 8, 8+len(head)+body.Len())
	binary.BigEndian.PutUint32(frame, uint32(len(head)))
	binary.BigEndian.PutUint32(frame[4:], uint32(body.Len()))
	frame = append(append(frame, head...), body.Reveal()...)
	_, err := w.Write(frame)
	clear(frame)
	return err
}

// Read receives one frame into header, a pointer. At the clean end of the stream
// the error is io.EOF; a stream that ends inside a frame is io.ErrUnexpectedEOF.
// Unknown header keys are ignored: a newer peer may send them.
func Read(r io.Reader, header any) (secret.Text, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return secret.Text{}, err
	}
	headLen, bodyLen := binary.BigEndian.Uint32(lengths[:]), binary.BigEndian.Uint32(lengths[4:])
	if headLen > MaxHeader || bodyLen > MaxBody {
		return secret.Text{}, ErrTooLarge
	}
	head, err := readExactly(r, headLen)
	if err != nil {
		return secret.Text{}, err
	}
	if !decode(head, header) {
		if err := json.Unmarshal(head, header); err != nil {
			return secret.Text{}, fmt.Errorf("wire: malformed header: %w", err)
		}
	}
	body, err := readExactly(r, bodyLen)
	if err != nil {
		return secret.Text{}, err
	}
	text := secret.New(string(body))
	clear(body)
	return text, nil
}

// readExactly grows with what arrives, so that a peer has to send what it
// announces before memory is spent on it.
func readExactly(r io.Reader, n uint32) ([]byte, error) {
	buffer := make([]byte, 0, min(n, 64<<10))
	for uint32(len(buffer)) < n {
		chunk := min(int(n)-len(buffer), 64<<10)
		start := len(buffer)
		buffer = append(buffer, make([]byte, chunk)...)
		if _, err := io.ReadFull(r, buffer[start:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return buffer, nil
}
