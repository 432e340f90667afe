#!/bin/sh
# Another project's test program, dbench, recorded as a whole: what it makes the kernel run, by file and system call.
# Arguments: a folder for the reports.
set -eu
out=${1:-coverage/dbench}
kernelcov=$(dirname "$0")/../src/cli/kernelcov
"$kernelcov" record --kernel embedded --out "$out" --fresh -- dbench --directory=/tmp --timelimit=2 2
"$kernelcov" which --run "$out/run" fs/read_write.c
# A fifth of the lines that read and write files has to be among them at least.
"$kernelcov" report "$out" --min-lines fs/read_write.c=20 >/dev/null
