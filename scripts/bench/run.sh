#!/bin/sh
# Benchmarks: npm run bench [-- [--quick] [--write] [hook|symbolize|tree|report …]]; figures stand beside a peer's from the
# same run.
set -eu
cd "$(dirname "$0")/../.."
sh scripts/setup.sh
export PATH="$PWD/node_modules/.bin:$PATH"
exec deno run -A --no-check scripts/bench/run.ts "$@"
