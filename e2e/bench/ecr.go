package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"
)

const ecrRegistry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

// warmECR prepares the ECR helper with a token in its own cache: its first run gets it
// from a stand-in for the ECR API, the timed ones find it on disk.
func warmECR(ctx context.Context, w *world) (*timed, error) {
	path, err := peer(ctx, ecrHelper)
	if err != nil {
		return nil, err
	}
	api := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(out).Encode(map[string]any{"authorizationData": []any{map[string]any{
			"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:token")),
			"expiresAt":          float64(time.Now().Add(12 * time.Hour).Unix()),
			"proxyEndpoint":      "https://" + ecrRegistry,
		}}})
	}))
	defer api.Close()
	env := []string{
		"HOME=" + w.dir, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=bench", "AWS_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL=" + api.URL,
	}
	helper := &timed{name: "ecr-login", path: path, args: []string{"get"}, env: env, stdin: ecrRegistry}
	if err := helper.once(ctx); err != nil {
		return nil, err
	}
	helper.times = nil
	return helper, nil
}
