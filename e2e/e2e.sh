#!/bin/sh
# Runs the end-to-end tests; arguments go to go test (-run Journey -v). It runs in
# their folder, where go test shows the closing table even when all is well.
set -eu
cd "$(dirname "$0")"
PATH="$PATH:$(sh tools-dir.sh)"
export PATH
exec go test -tags e2e -count=1 -timeout 15m -parallel "${E2E_PARALLEL:-4}" "$@"
