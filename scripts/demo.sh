#!/bin/sh
# Runs the examples on the embedded kernel under both runtimes, on a machine that has only Node.js and npm.
set -eu
cd "$(dirname "$0")/.."
echo "kernelcov demo: set up, build the embedded kernel once, run the examples in it"
sh scripts/setup.sh src/build/recipe/packages scripts/demo_packages
export PATH="$PWD/node_modules/.bin:$PATH"
exec deno run -A --no-lock scripts/with_ticks.ts src/cli/kernelcov test --kernel embedded -- sh -c 'deno test -A --no-check examples; d=$?; bun test ./examples; b=$?; [ $d = 0 ] && [ $b = 0 ]'
