#!/bin/sh
# Makes the images of this folder and what llvm-symbolizer says of their points. Needs Debian's clang-14, lld-14 and llvm-14.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
printf '.globl __sanitizer_cov_trace_pc\n__sanitizer_cov_trace_pc: ret\n' >"$work/callback.s"
clang-14 -c -o "$work/callback.o" "$work/callback.s"

# image FILE OPTION...: compiles both units with the options and links them like a kernel.
image() {
  file=$1
  shift
  for unit in find move; do
    clang-14 -O2 -g -fsanitize-coverage=trace-pc -fno-pic -ffreestanding -fno-asynchronous-unwind-tables \
      -fdebug-compilation-dir=/usr/src/linux-source-6.12 "$@" -c -o "$work/$unit.o" "$unit.c"
  done
  cp "$work/move.o" "$work/$file.move.o"
  case $* in
  *-flto*) # A relocatable link keeps the functions that nothing calls.
    ld.lld-14 -r -o "$work/whole.o" "$work/find.o" "$work/move.o"
    set -- "$work/whole.o" ;;
  *) set -- "$work/find.o" "$work/move.o" ;;
  esac
  ld.lld-14 -o "$file" -Ttext=0x60000000 -z noseparate-code -z max-page-size=4096 --build-id -e 0 "$work/callback.o" "$@"
  llvm-objdump-14 -d --no-show-raw-insn "$file" |
    sed -n 's/^ *\([0-9a-f]*\):.*call.*<__sanitizer_cov_trace_pc>.*/0x\1/p' |
    llvm-symbolizer-14 --obj="$file" --inlines --addresses >"$file.frames"
}

image dwarf5 -gdwarf-5
image dwarf4 -gdwarf-4
image lto -gdwarf-5 -flto
# As in a module: not linked, relocations not applied. It has one section of code, so addresses are clear.
cp "$work/dwarf5.move.o" object
llvm-readelf-14 -r object |
  sed -n 's/^\([0-9a-f]*\) .*R_X86_64_PLT32 .*__sanitizer_cov_trace_pc.*/\1/p' |
  while read -r at; do printf '0x%x\n' $((0x$at - 1)); done |
  llvm-symbolizer-14 --obj=object --inlines --addresses --functions=short >object.frames
chmod 644 dwarf5 dwarf4 lto object
