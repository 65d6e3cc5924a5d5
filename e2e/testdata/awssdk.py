import sys

import boto3

profile, bucket, times = sys.argv[1:]
for _ in range(int(times)):
    session = boto3.Session(profile_name=profile)
    print(session.client("sts").get_caller_identity()["Arn"])
    for page in session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            print(item["Key"])
