import { DescriptorMessage, MESSAGE_BYTES } from "./descriptor_message.ts";
import { systemCallNumber } from "../system_calls.ts";
import type { LibcPart } from "../types.ts";

/** What these functions call: libc's own for sockets would be opened by every thread that records. */
export type SocketLibc = LibcPart<"close">;

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const ECONNRESET = 104;
const BACKLOG = 128;
/** Of `sun_path`, its NUL included. */
const PATH_BYTES = 108;

/** A message that was received. */
export interface ReceivedMessage {
  /** Its bytes, as many as {@linkcode DescriptorMessage} has room for; none where the other side has closed. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The descriptor that came with it. */
  readonly descriptor: number | undefined;
}

/** `struct sockaddr_un`; `undefined` where the path is too long for one, or holds a NUL. */
function socketAddress(path: string): Uint8Array<ArrayBuffer> | undefined {
  const name = new TextEncoder().encode(path);
  if (name.length >= PATH_BYTES || name.includes(0)) return undefined;
  const address = new Uint8Array(2 + PATH_BYTES);
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}

/** Keeps what a call points to from being collected while it runs. */
const held: { values: readonly unknown[] } = { values: [] };

/** The result of a system call whose arguments are numbers and memory. */
function call(
  libc: SocketLibc,
  name: Parameters<typeof systemCallNumber>[0],
  ...values: readonly (number | bigint | Uint8Array)[]
): number {
  held.values = values;
  const words = values.map((value) =>
    value instanceof Uint8Array ? libc.addressOf(value) : BigInt(value)
  );
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = words;
  const result = Number(libc.syscall(systemCallNumber(name), a, b, c, d, e, 0n));
  held.values = [];
  return result;
}

/** A socket that is connected to the one at `path`, and waits `seconds` at most; `undefined` where nobody listens. */
export function connectSocket(
  libc: SocketLibc,
  path: string,
  seconds: number,
): number | undefined {
  const address = socketAddress(path);
  if (address === undefined) return undefined;
  const fd = call(libc, "socket", AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC);
  if (fd < 0) return undefined;
  const time = new Uint8Array(new BigInt64Array([BigInt(seconds), 0n]).buffer);
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
    call(libc, "setsockopt", fd, SOL_SOCKET, option, time, time.length);
  }
  if (call(libc, "connect", fd, address, address.length) === 0) return fd;
  libc.close(fd);
  return undefined;
}

/** A socket that listens at `path`, or minus an errno. */
export function listenAt(libc: SocketLibc, path: string): number {
  const address = socketAddress(path);
  if (address === undefined) return -36; // ENAMETOOLONG
  const type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const fd = call(libc, "socket", AF_UNIX, type);
  if (fd < 0) return -libc.errno();
  if (
    call(libc, "bind", fd, address, address.length) === 0 && call(libc, "listen", fd, BACKLOG) === 0
  ) return fd;
  const errno = libc.errno();
  libc.close(fd);
  return -errno;
}

/** The next connection of a listening socket, which does not block, or minus an errno. */
export function acceptSocket(libc: SocketLibc, socket: number): number {
  const fd = call(libc, "accept4", socket, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return fd < 0 ? -libc.errno() : fd;
}

/** The user at the other end when it connected; `undefined` where the kernel does not tell. */
export function peerUser(libc: SocketLibc, socket: number): number | undefined {
  const credentials = new Uint32Array(3);
  const size = new Uint32Array([12]);
  const result = call(
    libc,
    "getsockopt",
    socket,
    SOL_SOCKET,
    SO_PEERCRED,
    new Uint8Array(credentials.buffer),
    new Uint8Array(size.buffer),
  );
  return result === 0 && size[0] === 12 ? credentials[1] : undefined;
}

/** Sends a message, with a descriptor or without. Never waits. @returns Whether the kernel took it. */
export function sendMessage(
  libc: SocketLibc,
  socket: number,
  data: Uint8Array,
  descriptor?: number,
): boolean {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  const address = libc.addressOf(bytes);
  bytes.set(new DescriptorMessage(address, descriptor ?? null, data).bytes);
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  return call(libc, "sendmsg", socket, bytes, flags) === data.length;
}

/** Waits for a message of `size` bytes at most; `undefined` where none comes in time. */
export function receiveMessage(
  libc: SocketLibc,
  socket: number,
  size: number,
): ReceivedMessage | undefined {
  const message = new DescriptorMessage(0n);
  const address = libc.addressOf(message.bytes);
  message.bytes.set(new DescriptorMessage(address, -1, new Uint8Array(size)).bytes);
  let length = call(libc, "recvmsg", socket, message.bytes, MSG_CMSG_CLOEXEC);
  // The other side has closed without reading all: what it sent before comes after that.
  if (length < 0 && libc.errno() === ECONNRESET) {
    length = call(libc, "recvmsg", socket, message.bytes, MSG_CMSG_CLOEXEC);
  }
  if (length < 0) return undefined;
  return {
    data: message.data.slice(0, length),
    descriptor: length > 0 && message.hasDescriptor ? message.descriptor : undefined,
  };
}
