package awstest_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

func TestEKS(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	for _, name := range []string{"one", "two", "three"} {
		account.Cluster(region, name, awstest.Cluster{Endpoint: "https://127.0.0.1:6443", CertificateAuthority: "-----BEGIN CERTIFICATE-----\n"})
	}
	account.Cluster("eu-west-1", "far", awstest.Cluster{})
	account.Cluster(region, "new", awstest.Cluster{Status: "CREATING"})
	s.Account(theirs).Cluster(region, "foreign", awstest.Cluster{})
	keys := account.User("jane")
	client := eks.NewFromConfig(config(s, keys, region))

	var names []string
	p := eks.NewListClustersPaginator(client, &eks.ListClustersInput{})
	for p.HasMorePages() {
		page := must(p.NextPage(t.Context()))(t)
		if len(page.Clusters) > 2 {
			t.Errorf("a page of %d", len(page.Clusters))
		}
		names = append(names, page.Clusters...)
	}
	if !slices.Equal(names, []string{"new", "one", "three", "two"}) {
		t.Errorf("%q", names)
	}
	out := must(client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("one")}))(t)
	ca, err := base64.StdEncoding.DecodeString(aws.ToString(out.Cluster.CertificateAuthority.Data))
	if err != nil || string(ca) != "-----BEGIN CERTIFICATE-----\n" || aws.ToString(out.Cluster.Endpoint) != "https://127.0.0.1:6443" ||
		out.Cluster.Status != types.ClusterStatusActive || aws.ToString(out.Cluster.Arn) != "arn:aws:eks:"+region+":"+ours+":cluster/one" || out.Cluster.CreatedAt == nil {
		t.Errorf("%v %+v", err, out.Cluster)
	}
	fresh := must(client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("new")}))(t)
	if fresh.Cluster.Status != types.ClusterStatusCreating || fresh.Cluster.Endpoint != nil {
		t.Errorf("a new one: %+v", fresh.Cluster)
	}
	for _, name := range []string{"far", "foreign", "nope"} {
		_, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String(name)})
		refused(t, name, err, "ResourceNotFoundException", "No cluster found for name: "+name+".")
	}
}

func TestEKSRefuses(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Cluster(region, "one", awstest.Cluster{})
	arn := "arn:aws:eks:" + region + ":" + ours + ":cluster/"
	client := eks.NewFromConfig(config(s, account.User("jane", allow("eks:DescribeCluster", arn+"one")), region))
	if _, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("one")}); err != nil {
		t.Error(err)
	}
	_, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("two")})
	refused(t, "another cluster", err, "AccessDeniedException", "eks:DescribeCluster on resource: "+arn+"two")
	_, err = client.ListClusters(t.Context(), &eks.ListClustersInput{})
	refused(t, "the list", err, "AccessDeniedException", "eks:ListClusters on resource: "+arn+"*")
	all := eks.NewFromConfig(config(s, account.User("root"), region))
	_, err = all.ListClusters(t.Context(), &eks.ListClustersInput{NextToken: aws.String("x")})
	refused(t, "a wrong token", err, "InvalidParameterException", "nextToken")
	_, err = all.ListClusters(t.Context(), &eks.ListClustersInput{MaxResults: aws.Int32(101)})
	refused(t, "a large page", err, "InvalidParameterException", "maxResults")
	_, err = all.DeleteCluster(t.Context(), &eks.DeleteClusterInput{Name: aws.String("one")})
	refused(t, "another operation", err, "UnknownOperationException", "")
}
