//go:build e2e && linux

package e2e

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// awsSDK is a program that is built on an SDK of AWS's.
type awsSDK struct {
	name    string
	prepare func(w *world)
	look    func(w *world, profile, bucket string, times int) *call
}

func awsSDKs() []awsSDK { return []awsSDK{botocore(), goSDK()} }

func botocore() awsSDK {
	return awsSDK{
		name: "botocore",
		prepare: func(w *world) {
			if exec.Command(debianPython, "-c", "import boto3").Run() != nil {
				missing(w.t, "AWS's SDK for Python is not installed: make e2e-deps installs it (apt-get install python3-boto3)")
			}
		},
		look: func(w *world, profile, bucket string, times int) *call {
			return w.cmd(debianPython, testdata("awssdk.py"), profile, bucket, strconv.Itoa(times))
		},
	}
}

var buildAWSSDK = sync.OnceValues(func() (string, error) {
	path := filepath.Join(suite.dir, "awssdk")
	return path, goBuild("-trimpath", "-o", path, "./awssdk")
})

func goSDK() awsSDK {
	return awsSDK{
		name:    "go-v2",
		prepare: func(*world) {},
		look: func(w *world, profile, bucket string, times int) *call {
			program, err := buildAWSSDK()
			must(w.t, err)
			return w.cmd(program, "-profile", profile, "-bucket", bucket, "-times", strconv.Itoa(times))
		},
	}
}

// TestAWSSDKs has programs name the profile that login wrote.
func TestAWSSDKs(t *testing.T) {
	t.Parallel()
	for _, sdk := range awsSDKs() {
		t.Run(sdk.name, func(t *testing.T) {
			t.Parallel()
			w, a := registeredAWS(t, "a program with the SDK reads a bucket through the profile; five sessions cost one mint; another bucket is refused; a failure shows our words")
			sdk.prepare(w)
			need(t, debianAWS)
			a.buckets()
			w.loginAWS("one", "s3://"+ownBucket)
			w.ok(debianAWS, "--profile", "one", "s3", "cp", w.file("hello", "hello.txt"), "s3://"+ownBucket+"/hello.txt")
			minted, handed := w.audited("minted"), w.audited("handed-out")
			sdk.look(w, "one", ownBucket, 5).run().exits(0).says("assumed-role/dev/", "hello.txt")
			if n := w.audited("minted") - minted; n != 0 {
				t.Errorf("%d mints for keys that were kept", n)
			}
			if n := w.audited("handed-out") - handed; n != 5 {
				t.Errorf("five sessions ran credential_process %d times", n)
			}
			sdk.look(w, "one", otherBucket, 1).run().fails().says("no session policy allows")
			a.aws.Revoke(a.ada.AccessKeyID)
			w.ok("svcconn", "agent", "forget")
			sdk.look(w, "one", ownBucket, 1).run().fails().says("security token")
		})
	}
}
