package wire

import "strconv"

// The two headers of a warm `docker-credential-svcconn get` are written and read here
// without reflection: the first use of encoding/json costs a process a tenth of the
// start-up of an empty one. What is not plain goes the long way; both ways give the
// same bytes.

// encode writes a header quickly if it can.
func encode(header any) ([]byte, bool) {
	r, ok := header.(Request)
	if !ok || len(r.Args) > 0 || !plain(r.Op) || !plain(r.Client.Binary) || !plain(r.Client.Release) || !plain(r.Config) {
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
	return append(b, '}'), true
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
