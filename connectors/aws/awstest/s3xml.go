package awstest

import (
	"encoding/xml"
	"time"
)

// s3Namespace is of all answers of S3 but errors.
const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type s3Owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

type s3Bucket struct {
	Name         string
	CreationDate string
	BucketRegion string `xml:",omitempty"`
	BucketArn    string `xml:",omitempty"`
}

type listBucketsResult struct {
	XMLName           xml.Name   `xml:"ListAllMyBucketsResult"`
	Namespace         string     `xml:"xmlns,attr"`
	Owner             s3Owner    `xml:"Owner"`
	Buckets           []s3Bucket `xml:"Buckets>Bucket"`
	ContinuationToken string     `xml:",omitempty"`
	Prefix            string     `xml:",omitempty"`
}

type s3Object struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
	StorageClass string
}

type s3Prefix struct{ Prefix string }

type listObjectsResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Namespace             string   `xml:"xmlns,attr"`
	Name                  string
	Prefix                string
	Delimiter             string `xml:",omitempty"`
	MaxKeys               int
	EncodingType          string `xml:",omitempty"`
	KeyCount              int
	IsTruncated           bool
	ContinuationToken     string     `xml:",omitempty"`
	NextContinuationToken string     `xml:",omitempty"`
	StartAfter            string     `xml:",omitempty"`
	Contents              []s3Object `xml:"Contents"`
	CommonPrefixes        []s3Prefix `xml:"CommonPrefixes"`
}

// s3Time is a time as S3's XML has it.
func s3Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// s3Escape is what encoding-type=url asks for.
func s3Escape(encoding, text string) string {
	if encoding != "url" {
		return text
	}
	return encoded(text, true)
}

// answerS3 answers with XML of S3.
func answerS3(value any) (answer, error) {
	out, err := answerXML(value)
	out.header = contentType("application/xml")
	return out, err
}

type locationConstraint struct {
	XMLName   xml.Name `xml:"LocationConstraint"`
	Namespace string   `xml:"xmlns,attr"`
	Region    string   `xml:",chardata"`
}

// newLocation is where a bucket is; us-east-1 has no name there.
func newLocation(region string) locationConstraint {
	if region == globalRegion {
		region = ""
	}
	return locationConstraint{Namespace: s3Namespace, Region: region}
}
