import sys

import google.auth
from google.auth.transport.requests import AuthorizedSession

bucket, times = sys.argv[1:]
for _ in range(int(times)):
    credentials, _project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    answer = AuthorizedSession(credentials).get(f"https://storage.googleapis.com/storage/v1/b/{bucket}/o")
    if answer.status_code != 200:
        sys.exit(answer.text)
    for item in answer.json().get("items", []):
        print(item["name"])
