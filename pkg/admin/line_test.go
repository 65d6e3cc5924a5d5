package admin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
)

// testTree is a table of commands with a flag of every sort.
func testTree() *command {
	return &command{name: program, flags: []flag{versionFlag}, commands: []command{
		{
			name: "register", args: []argument{{name: "NAME"}},
			flags: printing(
				flag{name: "type", short: "t", value: typeWord},
				flag{name: "set", value: settingWord, many: true},
				flag{name: "resource-name", short: "n", aliases: []string{"resource-id"}, value: "NAME"},
				flag{name: "no-verify"},
				flag{name: "interactive", short: "i"},
			),
		},
		{name: "delete", args: []argument{{name: "NAME", many: true}}, flags: []flag{{name: "yes", short: "y"}}},
		{name: "login", commands: []command{{name: "docker", args: []argument{{name: "REGISTRY", many: true, optional: true}}, flags: []flag{connectorTestFlag}}}},
		{name: "apply", flags: []flag{{name: "file", short: "f", value: fileWord, many: true, required: true}}},
		{name: "version"},
		{name: "raw", raw: true, hidden: true},
	}}
}

var connectorTestFlag = flag{name: "connector", short: "c", value: connectorWord}

func TestReadLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"register hub --type docker", "register --type=docker -- hub"},
		{"register --type docker hub", "register --type=docker -- hub"},
		{"register hub --type=docker", "register --type=docker -- hub"},
		{"register hub -t docker", "register --type=docker -- hub"},
		{"register hub -tdocker", "register --type=docker -- hub"},
		{"register hub -t=docker", "register --type=docker -- hub"},
		{"register -it docker hub", "register --interactive=true --type=docker -- hub"},
		{"register hub --resource_name a", "register --resource-name=a -- hub"},
		{"register hub --resource_id=a_b", "register --resource-name=a_b -- hub"},
		{"register hub --resource-id a", "register --resource-name=a -- hub"},
		{"register hub --set a=b,c --set d=", "register --set=a=b,c --set=d= -- hub"},
		{"register hub --set password=-", "register --set=password=- -- hub"},
		{"register hub --set -", "register --set=- -- hub"},
		{"register hub --set=--type", "register --set=--type -- hub"},
		{"register hub --set --unheard-of", "register --set=--unheard-of -- hub"},
		{"register hub --no-verify", "register --no-verify=true -- hub"},
		{"register hub --no_verify=false", "register --no-verify=false -- hub"},
		{"register hub --type a --type a", "register --type=a --type=a -- hub"},
		{"register -- hub", "register -- hub"},
		{"register -- --type", "register -- --type"},
		{"register -- --", "register -- --"},
		{"register -", "register -- -"},
		{"delete a -y b c", "delete --yes=true -- a b c"},
		{"delete a -- -y", "delete -- a -y"},
		{"login docker", "login docker --"},
		{"login docker ghcr.io -c hub quay.io", "login docker --connector=hub -- ghcr.io quay.io"},
		{"-o json register hub", "register --output=json -- hub"},
		{"--no-icons register -o name hub", "register --no-icons=true --output=name -- hub"},
		{"apply -f a -fb", "apply --file=a --file=b --"},
		{"--version", "version --"},
		{"raw --type -- x", "raw -- --type -- x"},
	} {
		l, err := readLine(testTree(), strings.Fields(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := strings.Join(l.canonical()[1:], " "); got != c.want || l.help {
			t.Errorf("%s: got %q (help %t), want %q", c.in, got, l.help, c.want)
		}
	}
}

func TestReadHelp(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                            "svcconn",
		"--help":                      "svcconn",
		"-h":                          "svcconn",
		"help":                        "svcconn",
		"help register":               "svcconn register",
		"help login docker":           "svcconn login docker",
		"register --help":             "svcconn register",
		"register hub -h --type x":    "svcconn register",
		"register -ih":                "svcconn register",
		"apply -h":                    "svcconn apply",
		"login":                       "svcconn login",
		"login --help":                "svcconn login",
		"--help register":             "svcconn register",
		"register --no-verify --help": "svcconn register",
	} {
		l, err := readLine(testTree(), strings.Fields(in))
		if err != nil || !l.help || fullName(l.path) != want {
			t.Errorf("%q: got help %t of %q, %v; want that of %q", in, l.help, fullName(append(l.path, &command{})[:len(l.path)]), err, want)
		}
	}
}

const canary = "Xq7-canary-pT2"

// What is wrong is said, with what would be right, and without words that may be
// secrets.
func TestReadLineErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, message, hint string }{
		{"registr hub", `unknown command "registr"`, "did you mean `svcconn register`? `svcconn --help` lists the commands"},
		{"sculpt", `unknown command "sculpt"`, "`svcconn --help` lists the commands"},
		{"login dokcer", `unknown command "login dokcer"`, "did you mean `svcconn login docker`? `svcconn login --help` lists the commands"},
		{"help sculpt", `unknown command "sculpt"`, "`svcconn --help` lists the commands"},
		{"help register hub", `unknown command "register hub"`, "`svcconn register --help` lists the commands"},
		{"register hub --tpye " + canary, "unknown flag --tpye of svcconn register", "did you mean --type? `svcconn register --help` lists the flags"},
		{"register hub --password=" + canary, "unknown flag --password of svcconn register", "`svcconn register --help` lists the flags"},
		{"register hub --resource_nmae=" + canary, "unknown flag --resource-nmae of svcconn register", "did you mean --resource-name? `svcconn register --help` lists the flags"},
		{"register hub -p" + canary, "unknown flag -p of svcconn register", "`svcconn register --help` lists the flags"},
		{"register hub -type docker", "unknown flag -type", "did you mean --type?"},
		{"register hub --type", "flag --type needs a value (TYPE)", ""},
		{"register hub -t", "flag --type needs a value (TYPE)", ""},
		{"register hub --type --no-verify", "flag --type needs a value (TYPE)", "--no-verify is a flag itself; if it is the value, write --type=--no-verify"},
		{"register hub --type -i", "flag --type needs a value (TYPE)", "-i is a flag itself; if it is the value, write --type=-i"},
		{"register hub --type --", "flag --type needs a value (TYPE)", "-- is a flag itself; if it is the value, write --type=--"},
		{"register hub --type a -t " + canary, "flag --type is given twice, with different values", ""},
		{"register hub --no-verify=" + canary, "flag --no-verify is either given or not: it takes no value", ""},
		{"register", "svcconn register needs NAME", "usage: svcconn register [flags] NAME"},
		{"register hub " + canary, "svcconn register takes one argument, but 2 were given", "usage: svcconn register [flags] NAME"},
		{"version " + canary, "svcconn version takes no arguments, but 1 were given", "usage: svcconn version [flags]"},
		{"delete", "svcconn delete needs NAME…", "usage: svcconn delete [flags] NAME…"},
		{"apply", "svcconn apply needs the flag --file", "usage: svcconn apply --file FILE [flags]"},
		{"-o json delete a", "unknown flag --output of svcconn delete", "`svcconn delete --help` lists the flags"},
		{"--yes delete a", "unknown flag --yes of svcconn", "`svcconn --help` lists the flags"},
	} {
		_, err := readLine(testTree(), strings.Fields(c.in))
		if err == nil || err.Error() != c.message || fault.HintOf(err) != c.hint || proc.ExitCode(err) != proc.Usage {
			t.Errorf("%s:\n got %v (%s)\nwant %s (%s)", c.in, err, fault.HintOf(err), c.message, c.hint)
			continue
		}
		if strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%s: the error repeats the value", c.in)
		}
	}
}

// spoken is a command line as somebody means it, for FuzzReadLine to say.
type spoken struct {
	flags []string // --flag=value, in order
	args  []string
}

// say writes a command line in one of the many ways to say it.
func say(random *rand.Rand) (spoken, []string) {
	var want spoken
	argv := []string{"register"}
	flags := slices.DeleteFunc(testTree().commands[0].allFlags(), func(f flag) bool { return f.name == helpFlag.name })
	values := []string{"a", "", "-", "x=y", "--no", "ü", "a b", "-1", "a,b", "--set=", "=", "日本"}
	name := values[random.IntN(len(values))]
	before := random.IntN(6)
	for i := range 6 {
		if i == before {
			want.args = append(want.args, name)
			if strings.HasPrefix(name, "-") && name != "-" {
				return want, append(argv, "--", name)
			}
			argv = append(argv, name)
		}
		f := flags[random.IntN(len(flags))]
		value := values[random.IntN(len(values))]
		if f.value != "" && !f.many {
			value = "same"
		}
		spelt, meant := spell(random, f, value)
		argv = append(argv, spelt...)
		want.flags = append(want.flags, meant)
	}
	return want, argv
}

// spell writes one flag.
func spell(random *rand.Rand, f flag, value string) (argv []string, meant string) {
	long := "--" + f.names()[random.IntN(len(f.names()))]
	if random.IntN(2) == 0 {
		long = "--" + strings.ReplaceAll(long[2:], "-", "_")
	}
	short := f.short != "" && random.IntN(2) == 0
	switch {
	case f.value == "" && short:
		return []string{"-" + f.short}, "--" + f.name + "=true"
	case f.value == "":
		return []string{long}, "--" + f.name + "=true"
	}
	meant = "--" + f.name + "=" + value
	switch joined := random.IntN(2) == 0; {
	case short && joined && value != "":
		return []string{"-" + f.short + strings.Repeat("=", random.IntN(2)*boolToInt(!strings.HasPrefix(value, "="))) + value}, plainShort(f, value)
	case short:
		return []string{"-" + f.short, value}, meant
	case joined:
		return []string{long + "=" + value}, meant
	}
	return []string{long, value}, meant
}

// plainShort is what -x=value and -xvalue mean: one equals sign is not the value's.
func plainShort(f flag, value string) string {
	return "--" + f.name + "=" + strings.TrimPrefix(value, "=")
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// However a command line is said, the same is understood: no argument is lost,
// invented, or taken for something else.
func FuzzSaidLine(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		want, argv := say(rand.New(rand.NewPCG(seed, 1)))
		l, err := readLine(testTree(), argv)
		if err != nil {
			t.Fatalf("%q: %v", argv, err)
		}
		var got spoken
		for _, g := range l.flags {
			got.flags = append(got.flags, fmt.Sprintf("--%s=%s", g.flag.name, g.value))
		}
		got.args = l.args
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(spoken{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", argv, diff)
		}
	})
}

// Any words are read or refused; what was read says the same when it is read again,
// and has no argument that was not there.
func FuzzReadLine(f *testing.F) {
	for _, seed := range []string{"register hub --type docker", "-o json help", "register -itx -- --", "login docker -c", "raw --", "delete a -y=false b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		argv := strings.Split(text, " ")
		l, err := readLine(testTree(), argv)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v is no usage error", argv, err)
			}
			return
		}
		if l.help {
			return
		}
		for _, arg := range l.args {
			if !slices.Contains(argv, arg) {
				t.Errorf("%q: invented the argument %q", argv, arg)
			}
		}
		again, err := readLine(testTree(), l.canonical()[1:])
		if l.command().raw {
			return // its arguments may be dashes
		}
		if err != nil {
			t.Fatalf("%q: %q: %v", argv, l.canonical(), err)
		}
		if diff := cmp.Diff(l.canonical(), again.canonical()); diff != "" {
			t.Errorf("%q: read again it differs:\n%s", argv, diff)
		}
	})
}
