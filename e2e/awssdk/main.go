// Command awssdk is a program as people write them with AWS's SDK for Go: it names a
// profile and leaves the rest to the SDK. It says who it is and what a bucket has, as
// often as it is told.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	profile := flag.String("profile", "", "the profile to use")
	bucket := flag.String("bucket", "", "the bucket to look into")
	times := flag.Int("times", 1, "how often")
	flag.Parse()
	if err := run(context.Background(), *profile, *bucket, *times); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, profile, bucket string, times int) error {
	for range times {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile))
		if err != nil {
			return err
		}
		if err := look(ctx, cfg, bucket); err != nil {
			return err
		}
	}
	return nil
}

func look(ctx context.Context, cfg aws.Config, bucket string) error {
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	fmt.Println(aws.ToString(who.Arn))
	list, err := s3.NewFromConfig(cfg).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		return err
	}
	for _, object := range list.Contents {
		fmt.Println(aws.ToString(object.Key))
	}
	return nil
}
