#!/bin/sh
# Sets up a checkout for its demo and tests: Debian packages, then Deno and Bun from npm. Needs Node.js and npm.
# An ordinary user is told the one line that installs what is missing. Quick when all is there.
# Arguments: files with the names of Debian packages; those of the tests and of the kernel's build by default.
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- scripts/packages scripts/kernel/packages
wanted=$(sed '/^#/d' "$@" | sort -u)
missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "kernelcov: Debian packages are missing. Install them and run this again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 2
  fi
  echo "Installing Debian packages:$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "kernelcov: apt-get failed; its output is in $log" >&2
    exit 1
  fi
  rm -f "$log"
fi

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing Deno, Bun and the development packages from npm"
  # Not npm ci: it refuses where a registry lacks packages of other platforms, which are optional.
  npm install --no-save --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
# npm may refuse install scripts; without them the commands are Node.js wrappers around the real programs.
is_elf() { [ "$(dd if="$1" bs=1 skip=1 count=3 2>/dev/null)" = ELF ]; }
is_elf node_modules/.bin/deno || node node_modules/deno/install.cjs
is_elf node_modules/.bin/bun || (cd node_modules/bun && node install.js)
