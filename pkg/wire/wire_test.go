package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// counted counts the writes: a frame is one, so that frames of several goroutines
// never mix.
type counted struct {
	bytes.Buffer
	writes int
}

func (c *counted) Write(p []byte) (int, error) { c.writes++; return c.Buffer.Write(p) }

func TestFramesComeBackAsSent(t *testing.T) {
	t.Parallel()
	var stream counted
	replies := []Reply{{Event: Notice, Text: "ä\x00\n"}, {Event: Success, Data: []byte(`{"a":1}`)}, {Event: Failure, Error: &Error{Kind: fault.Denied, Message: "m", Hint: "h"}}}
	bodies := []string{"", "canary", string([]byte{0, 0xff, '\n'})}
	for i, reply := range replies {
		if err := Write(&stream, reply, secret.New(bodies[i])); err != nil {
			t.Fatal(err)
		}
	}
	if stream.writes != len(replies) {
		t.Errorf("%d writes for %d frames", stream.writes, len(replies))
	}
	for i, want := range replies {
		var got Reply
		body, err := Read(&stream, &got)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || body.Reveal() != bodies[i] {
			t.Errorf("frame %d: %v, body %d bytes\n%s", i, err, body.Len(), diff)
		}
	}
	if _, err := Read(&stream, &Reply{}); err != io.EOF {
		t.Errorf("at the end: %v, want EOF", err)
	}
}

func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	if err := Write(&whole, Reply{Event: Success}, secret.New("body")); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < whole.Len(); n++ {
		if _, err := Read(bytes.NewReader(whole.Bytes()[:n]), &Reply{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	for name, frame := range map[string][]byte{
		"header too large": {0xff, 0, 0, 0, 0, 0, 0, 0},
		"body too large":   {0, 0, 0, 0, 0xff, 0, 0, 0},
	} {
		if _, err := Read(bytes.NewReader(frame), &Reply{}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(bytes.NewReader([]byte{0, 0, 0, 1, 0, 0, 0, 0, '{'}), &Reply{}); err == nil {
		t.Error("a malformed header was read")
	}
	if err := Write(io.Discard, Reply{}, secret.New(string(make([]byte, MaxBody+1)))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("writing too much: %v", err)
	}
}

func TestErrorsKeepTheirKindAndHint(t *testing.T) {
	t.Parallel()
	sent := fault.Within(fault.New(fault.Denied, "no: %%").Hint("%s", "100% sure"), "connector hub")
	got := FromFault(sent).Fault()
	if got.Error() != sent.Error() || fault.KindOf(got) != fault.Denied || fault.HintOf(got) != "100% sure" {
		t.Errorf("%v (%s), hint %q", got, fault.KindOf(got), fault.HintOf(got))
	}
}

// FuzzQuick: the quick way and the long way give the same.
func FuzzQuick(f *testing.F) {
	f.Add(1, "docker.get", "docker-credential-svcconn", "v1.2.3", 42, "/home/me/.config/svcconn", `{"event":"done"}`, "", "")
	f.Add(0, "", "<b>", "é", -1, `C:\svcconn "x"`, `{"event":"done","absent":true}`, "prod", "")
	f.Add(0, "kubernetes.exec", "b", "", 1, "", `{"event":"done"}`, "prod", "a b<é>")
	f.Fuzz(func(t *testing.T, v int, op, binary, release string, pid int, config, head, connector, cluster string) {
		request := Request{Protocol: v, Op: op, Client: Client{binary, release, pid}, Config: config}
		if args := (KubernetesExecArgs{connector, cluster}); args != (KubernetesExecArgs{}) {
			quick, err := Encode(args)
			if err != nil {
				t.Fatal(err)
			}
			if long, err := json.Marshal(args); err != nil || string(quick) != string(long) {
				t.Errorf("encoded %s, want %s (%v)", quick, long, err)
			}
			request.Args = quick
		}
		long, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		if quick, ok := encode(request); ok && string(quick) != string(long) {
			t.Errorf("encoded %s, want %s", quick, long)
		}
		var quick, slow Reply
		if decode([]byte(head), &quick) {
			if err := json.Unmarshal([]byte(head), &slow); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(slow, quick); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestTheHeadersOfAWarmGetAreQuick(t *testing.T) {
	t.Parallel()
	request := Request{Protocol: Protocol, Op: DockerGet, Client: Client{"docker-credential-svcconn", "v1.2.3", 4711}, Config: "/home/me/.config/svcconn"}
	if _, ok := encode(request); !ok {
		t.Error("the request is not encoded the quick way")
	}
	args, err := Encode(KubernetesExecArgs{Connector: "prod", Cluster: "prod-1.example"})
	if err != nil {
		t.Fatal(err)
	}
	request.Op, request.Args = KubernetesExec, args
	if _, ok := encode(request); !ok {
		t.Error("the request of kubectl-svcconn is not encoded the quick way")
	}
	for _, reply := range []Reply{{Event: Success}, {Event: Success, Absent: true}} {
		text, err := json.Marshal(reply)
		var got Reply
		if err != nil || !decode(text, &got) || cmp.Diff(reply, got) != "" {
			t.Errorf("%s is not decoded the quick way", text)
		}
	}
}

// FuzzRead: whatever comes in, Read neither panics nor returns more than was sent, and
// what it accepts goes out again and comes back the same.
func FuzzRead(f *testing.F) {
	var seed bytes.Buffer
	_ = Write(&seed, Request{Protocol: Protocol, Op: DockerGet, Args: []byte(`{}`)}, secret.New("registry.example.com"))
	f.Add(seed.Bytes())
	f.Add([]byte{0, 0, 0, 2, 0, 0, 0, 0, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		var first Request
		body, err := Read(bytes.NewReader(data), &first)
		if err != nil {
			return
		}
		if body.Len() > len(data) {
			t.Fatalf("a body of %d bytes out of %d", body.Len(), len(data))
		}
		var stream bytes.Buffer
		if err := Write(&stream, first, body); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var second Request
		again, err := Read(&stream, &second)
		if err != nil || !again.Equal(body) {
			t.Fatalf("%v, bodies equal: %t", err, again.Equal(body))
		}
	})
}
