#!/bin/sh
# Runs the examples on the embedded kernel under both runtimes, on a machine that has only Node.js and npm.
set -eu
cd "$(dirname "$0")/.."
echo "kernelcov demo: set up, build the embedded kernel once, run the examples in it"
later=
run=
log=$(mktemp)
finish() {
  # Jobs of a script do not see Ctrl-C.
  for job in $run $later; do kill "$job" 2>/dev/null || true; done
  rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ "$(id -u)" = 0 ]; then
  sh scripts/setup.sh src/build/recipe/packages
  # Nothing below needs these: they are installed while the kernel is built.
  sh scripts/setup.sh scripts/demo_packages >"$log" 2>&1 &
  later=$!
else
  sh scripts/setup.sh src/build/recipe/packages scripts/demo_packages
fi
export PATH="$PWD/node_modules/.bin:$PATH"
deno run -A --no-lock scripts/with_ticks.ts src/cli/kernelcov test --kernel embedded -- sh -c 'deno test -A --no-check examples; d=$?; bun test ./examples; b=$?; [ $d = 0 ] && [ $b = 0 ]' &
run=$!
status=0
wait "$run" || status=$?
run=
if [ -n "$later" ] && ! wait "$later"; then
  cat "$log" >&2
  [ "$status" != 0 ] || status=1
fi
later=
exit "$status"
