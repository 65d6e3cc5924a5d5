package clientconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAWSReadsWhatWeWrote: aws runs the process of a profile, from a path that has to be
// quoted, and reads what else the profile says; so it does between others' sections.
func TestAWSReadsWhatWeWrote(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("aws is not installed: apt-get install awscli")
		}
		t.Skip("aws is not installed: apt-get install awscli")
	}
	for _, name := range []string{"by hand", "Windows", "in a nested value"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.aws(awsShapes[name])
			program := s.write("my tools/o'neil/svcconn", "#!/bin/sh\necho \"$@\" > '"+s.Home+"/args'\n"+
				`echo '{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x","SessionToken":"y","Expiration":"2126-01-01T00:00:00Z"}'`+"\n")
			if err := os.Chmod(program, 0o700); err != nil {
				t.Fatal(err)
			}
			login := fullLogin("prod")
			login.Command, login.ResourceType, login.ResourceName = program, "s3-bucket", "s3://zen files"
			s.awsLogin(login)
			cmd := exec.Command("aws", "configure", "list", "--profile", "prod")
			cmd.Env = []string{"HOME=" + s.Home, "PATH=" + os.Getenv("PATH"), "AWS_CONFIG_FILE=" + file, "AWS_EC2_METADATA_DISABLED=true"}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "custom-process") || !strings.Contains(string(out), "us-gov-west-1") {
				t.Fatalf("%v:\n%s\n%s", err, out, content(t, file))
			}
			want := "credential --connector prod-connector --resource-type s3-bucket --resource-name s3://zen files --access read --format credential-process\n"
			if got := content(t, filepath.Join(s.Home, "args")); got != want {
				t.Errorf("svcconn was given %q, want %q", got, want)
			}
		})
	}
}
