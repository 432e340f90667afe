#!/bin/sh
# Makes the image again, with Debian's gcc 12 and the options that the embedded kernel is built with.
set -eu
cd "$(dirname "$0")"
gcc -O2 -gdwarf-5 -fsanitize-coverage=trace-pc -ffreestanding -fno-pic -mcmodel=small -fno-optimize-sibling-calls \
  -fno-var-tracking -fno-asynchronous-unwind-tables "-fdebug-prefix-map=$PWD=/usr/src/linux-source-6.12" -c -o image claims.c
