// Flags of open(2), as `include/uapi/asm-generic/fcntl.h` has them for x86-64, arm64 and riscv64.

export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_CLOEXEC = 0o2000000;
