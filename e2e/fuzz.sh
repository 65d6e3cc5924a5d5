#!/bin/sh
# Runs every fuzz target of the module some thousand times: fuzz.sh 20000x
set -eu
runs=${1:-20000x}
cd "$(dirname "$0")/.."
for file in $(grep -rl '^func Fuzz' --include='*_test.go' .); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "== $target ($(dirname "$file"))"
		go test -tags urfave_cli_no_docs -run '^$' -fuzz "^$target\$" -fuzztime "$runs" "$(dirname "$file")"
	done
done
