package wire

import (
	"encoding/json"
	"strconv"
)

// The headers of a warm `docker-credential-svcconn get` and of a warm
// `kubectl-svcconn credential` are written and read here
// without reflection: the first use of encoding/json costs a process a tenth of the
// start-up of an empty one. What is not plain goes the long way; both ways give the
// same bytes.

// encode writes a header quickly if it can.
func encode(header any) ([]byte, bool) {
	r, ok := header.(Request)
	if !ok || !compact(r.Args) || !plain(r.Op) || !plain(r.Client.Binary) || !plain(r.Client.Release) || !plain(r.Config) {
		return nil, false
	}
	b := make([]byte, 0, 128+len(r.Config))
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(r.Protocol), 10)
	b = append(b, `,"op":"`+r.Op+`","client":{"binary":"`+r.Client.Binary+`","release":"`+r.Client.Release+`","pid":`...)
	b = strconv.AppendInt(b, int64(r.Client.PID), 10)
	b = append(b, '}')
	if r.Config != "" {
		b = append(b, `,"config":"`+r.Config+`"`...)
	}
	if len(r.Args) > 0 {
		b = append(append(b, `,"args":`...), r.Args...)
	}
	return append(b, '}'), true
}

// Encode returns the arguments of an operation as JSON.
func Encode(args any) (json.RawMessage, error) {
	if a, ok := args.(KubernetesExecArgs); ok && plain(a.Connector) && plain(a.Cluster) {
		return a.encode(), nil
	}
	return json.Marshal(args)
}

func (a KubernetesExecArgs) encode() []byte {
	b := []byte{'{'}
	if a.Connector != "" {
		b = append(b, `"connector":"`+a.Connector+`"`...)
	}
	if a.Connector != "" && a.Cluster != "" {
		b = append(b, ',')
	}
	if a.Cluster != "" {
		b = append(b, `"cluster":"`+a.Cluster+`"`...)
	}
	return append(b, '}')
}

// compact reports whether arguments are JSON that encoding/json would leave as it is:
// what Encode made, without spaces or anything to escape.
func compact(args json.RawMessage) bool {
	for _, c := range args {
		if c <= ' ' || c > '~' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// plain reports whether a string needs no escaping in JSON.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// decode reads the plain ends of an operation quickly.
func decode(head []byte, header any) bool {
	reply, ok := header.(*Reply)
	if !ok {
		return false
	}
	switch string(head) {
	case `{"event":"` + Success + `"}`:
		*reply = Reply{Event: Success}
	case `{"event":"` + Success + `","absent":true}`:
		*reply = Reply{Event: Success, Absent: true}
	default:
		return false
	}
	return true
}
