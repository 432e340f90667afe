#!/bin/sh
# Sets up a checkout for its demo and tests: Debian packages, and at the same time Deno and Bun from npm. Needs Node.js
# and npm. An ordinary user is told the one line that installs what is missing. Quick when all is there.
# Arguments: files with the names of Debian packages; those of the tests and of the kernel's build by default.
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- scripts/packages src/build/recipe/packages
wanted=$(sed '/^#/d' "$@" | sort -u)
missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
if [ -n "$missing" ] && [ "$(id -u)" != 0 ]; then
  echo "kernelcov: Debian packages are missing. Install them and run this again:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 2
fi

npm=
apt=
logs=$(mktemp -d)
finish() {
  status=$?
  trap - EXIT
  # Jobs of a script do not see Ctrl-C.
  for job in $npm $apt; do kill "$job" 2>/dev/null || true; done
  [ "$status" != 0 ] || rm -rf "$logs"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# await TEXT JOB: says every 5 seconds that the job goes on; its status.
await() {
  fifths=0
  while kill -0 "$2" 2>/dev/null; do
    sleep 0.2
    fifths=$((fifths + 1))
    [ $((fifths % 25)) != 0 ] || echo "  $1, $((fifths / 5)) s"
  done
  wait "$2"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get "$@" >>"$logs/apt" 2>&1 &
  apt=$!
  await "Installing Debian packages" "$apt" || return 1
  apt=
}

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing Deno, Bun and the development packages from npm"
  # Not npm ci: it refuses where a registry lacks packages of other platforms, which are optional.
  npm install --no-save --no-audit --no-fund --loglevel=error >"$logs/npm" 2>&1 &
  npm=$!
fi

if [ -n "$missing" ]; then
  echo "Installing Debian packages:$missing"
  # shellcheck disable=SC2086
  if ! { apt_get update && apt_get install -y --no-install-recommends $missing; }; then
    tail -n 20 "$logs/apt" >&2
    echo "kernelcov: apt-get failed; its output is in $logs/apt" >&2
    exit 1
  fi
fi

if [ -n "$npm" ]; then
  if ! await "Installing from npm" "$npm"; then
    cat "$logs/npm" >&2
    echo "kernelcov: npm failed; its output is in $logs/npm" >&2
    exit 1
  fi
  npm=
  touch node_modules/.package-lock.json
fi
# npm may refuse install scripts; without them the commands are Node.js wrappers around the real programs.
is_elf() { [ "$(dd if="$1" bs=1 skip=1 count=3 2>/dev/null)" = ELF ]; }
is_elf node_modules/.bin/deno || node node_modules/deno/install.cjs
is_elf node_modules/.bin/bun || (cd node_modules/bun && node install.js)
