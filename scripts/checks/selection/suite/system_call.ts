/** System calls that a runtime has no function for, made by the test's own thread. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { callsNamed } from "../../../../src/kcov/system_calls.ts";
import { loadLibc } from "../../../../src/sys/load.ts";
import { machineName } from "../../../../src/sys/runtime.ts";

const libc = loadLibc();
const ARGUMENTS = 6;

/** What a call is given: numbers, and memory by its address. */
export type CallArgument = number | bigint | Uint8Array;

/** Makes a system call; gives its result, or -errno. */
export function systemCall(name: string, ...values: CallArgument[]): number {
  const [number] = callsNamed(machineName(), name);
  const words = values.map((value) =>
    typeof value === "object" ? libc.addressOf(value) : BigInt.asUintN(64, BigInt(value))
  );
  while (words.length < ARGUMENTS) words.push(0n);
  const [a, b, c, d, e, f] = words;
  const result = Number(libc.syscall(BigInt(number), a, b, c, d, e, f));
  return result === -1 ? -libc.errno() : result;
}

/** Makes a system call that has to succeed. */
export function succeeds(name: string, ...values: CallArgument[]): number {
  const result = systemCall(name, ...values);
  assert.ok(result >= 0, `${name}: errno ${-result}`);
  return result;
}

/** Makes a system call that has to fail with an error, by its name. */
export function failsWith(
  error: keyof typeof constants.errno,
  name: string,
  ...values: CallArgument[]
): void {
  assert.equal(systemCall(name, ...values), -constants.errno[error], name);
}

/** Runs `body` with a descriptor, and closes it. */
export function using<T>(fd: number, body: (fd: number) => T): T {
  try {
    return body(fd);
  } finally {
    systemCall("close", fd);
  }
}

/** Makes a call that puts two descriptors into memory, as `pipe2` does; runs `body` with them and closes them. */
export function usingPair(
  name: string,
  values: readonly number[],
  body: (first: number, second: number) => void,
): void {
  const pair = new Int32Array(2);
  succeeds(
    name,
    ...values.length > 1 ? values : [],
    bytesOf(pair),
    ...values.length > 1 ? [] : values,
  );
  const [first, second] = pair;
  using(first, () => using(second, () => body(first, second)));
}

/** A string of C's. */
export function cText(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** Bytes of text, without an end. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text that a call left in memory. */
export function textOf(memory: Uint8Array, length = memory.length): string {
  return new TextDecoder().decode(memory.subarray(0, length));
}

/** Memory of numbers as bytes. */
export function bytesOf(
  numbers: Int32Array | Uint32Array | BigInt64Array | BigUint64Array | Uint16Array,
): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** The address of memory, which has to be reachable while it is used. */
export function addressOf(memory: Uint8Array): bigint {
  return libc.addressOf(memory);
}

/** Memory of the kernel's choice, as an array. */
export function memoryAt(address: bigint, length: number): Uint8Array {
  return new Uint8Array(libc.view(address, length));
}

/** Pieces of memory as `struct iovec`. */
export function vectorsOf(pieces: readonly Uint8Array[]): Uint8Array {
  return bytesOf(
    BigUint64Array.from(pieces.flatMap((piece) => [addressOf(piece), BigInt(piece.length)])),
  );
}
