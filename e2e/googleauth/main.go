// Command googleauth is a program as people write them with Google's libraries for Go: it
// takes the credentials that the environment names, and leaves the rest to the library. It
// says what a bucket has, as often as it is told, each time with new credentials.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"golang.org/x/oauth2/google"
)

const scope = "https://www.googleapis.com/auth/cloud-platform"

// libraries are Google's two for Go: what its clients use today, and what they used before.
var libraries = map[string]func(ctx context.Context) (*http.Client, error){
	"auth":   withAuth,
	"oauth2": withOAuth2,
}

func main() {
	library := flag.String("library", "auth", "auth (cloud.google.com/go/auth) or oauth2 (golang.org/x/oauth2/google)")
	bucket := flag.String("bucket", "", "the bucket to look into")
	times := flag.Int("times", 1, "how often")
	flag.Parse()
	if err := run(context.Background(), *library, *bucket, *times); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, library, bucket string, times int) error {
	open := libraries[library]
	if open == nil {
		return fmt.Errorf("there is no library %q", library)
	}
	for range times {
		client, err := open(ctx)
		if err != nil {
			return err
		}
		if err := look(client, bucket); err != nil {
			return err
		}
	}
	return nil
}

func withAuth(context.Context) (*http.Client, error) {
	found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{scope}})
	if err != nil {
		return nil, err
	}
	return httptransport.NewClient(&httptransport.Options{Credentials: found})
}

func withOAuth2(ctx context.Context) (*http.Client, error) { return google.DefaultClient(ctx, scope) }

// look prints the names of a bucket's objects.
func look(client *http.Client, bucket string) error {
	resp, err := client.Get("https://storage.googleapis.com/storage/v1/b/" + url.PathEscape(bucket) + "/o")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	var list struct{ Items []struct{ Name string } }
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	for _, object := range list.Items {
		fmt.Println(object.Name)
	}
	return nil
}
