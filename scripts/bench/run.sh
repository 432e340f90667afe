#!/bin/sh
# Benchmarks: npm run bench -- hook|symbolize|tree|report …; every figure stands beside a peer's from the same run.
set -eu
cd "$(dirname "$0")/../.."
sh scripts/setup.sh
export PATH="$PWD/node_modules/.bin:$PATH"
[ $# -gt 0 ] || set -- hook symbolize
for name in "$@"; do
  [ -e "scripts/bench/$name.ts" ] || { echo "bench: no benchmark \"$name\": $(cd scripts/bench && ls *.ts | sed 's/\.ts$//' | tr '\n' ' ')" >&2; exit 2; }
done
for name in "$@"; do
  deno run -A --no-check "scripts/bench/$name.ts"
done
