import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";

/** The name of a parameter that guests are not started with, and one that is as long. */
const OTHER = "\0console=\0", SECCOMP = "\0seccomp=\0";

/**
 * The bytes of a user-mode Linux kernel, made to take the parameter of Linux 6.16 by which processes run without ptrace,
 * in place of another one. The kernel runs as before.
 */
export function seccompKernel(path: string): Uint8Array {
  const image = readFileSync(path);
  // Beside each other are only the names that user-mode Linux itself takes.
  const at = image.indexOf("\0umid=\0");
  const near = image.lastIndexOf(OTHER, at);
  if (at < 0 || near < 0) throw new RangeError(`${path} has no table of parameters`);
  Buffer.from(SECCOMP).copy(image, near);
  return image;
}
