#!/bin/sh
# Everything that must hold before a change lands: formatting, lint, layers, types, and the tests on Deno, on Bun and in the embedded kernel.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
export PATH="$PWD/node_modules/.bin:$PATH"
exec deno run -A scripts/run_tests.ts "$@"
