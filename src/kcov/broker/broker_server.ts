import type { Libc } from "../../sys/types.ts";
import { acceptSocket, peerUser, sendMessage } from "../../sys/sockets/unix_socket.ts";
import type { BrokerDevices, LentDevice } from "./broker_devices.ts";
import { BROKER_BYTES, type BrokerAnswer, decodeRequest, encodeAnswer } from "./broker_message.ts";

const POLLIN = 1;
const EMFILE = 24;
const ENFILE = 23;
const EAGAIN = 11;

/** Connections of one user: each stands for a device. */
const MOST_CONNECTIONS = 256;
/** Connections that are taken before those that are there get their turn. */
const AT_ONCE = 64;

/** How a broker serves. */
export interface BrokerOptions {
  /** Users who get devices. */
  readonly users: ReadonlySet<number>;
  /** MiB of the buffers that each of them can have. */
  readonly limit: number;
  /** Gets a line about a user who is not served or breaks the protocol, once for each. */
  readonly onTrouble: (line: string) => void;
}

interface Connection {
  readonly user: number;
  device?: LentDevice;
}

/**
 * Gives KCOV devices to allowed users: one for each connection, for as long as it is open. It reads nothing but requests of
 * eight bytes, and answers what it does not understand by closing the connection.
 */
export class BrokerServer {
  readonly #libc: Libc;
  readonly #socket: number;
  readonly #options: BrokerOptions;
  readonly #devices: BrokerDevices;
  readonly #connections = new Map<number, Connection>();
  readonly #counts = new Map<number, number>();
  readonly #told = new Set<string>();
  readonly #request = new Uint8Array(BROKER_BYTES + 1);

  /** @param socket Listens, and does not block. */
  constructor(libc: Libc, socket: number, devices: BrokerDevices, options: BrokerOptions) {
    this.#libc = libc;
    this.#socket = socket;
    this.#devices = devices;
    this.#options = options;
  }

  /** Waits for what comes next, `timeoutMs` at most, and serves it. */
  serve(timeoutMs: number): void {
    // struct pollfd: the descriptor, the events that are wanted, and those that came.
    const sockets = [this.#socket, ...this.#connections.keys()];
    const polled = new DataView(new ArrayBuffer(8 * sockets.length));
    for (const [index, fd] of sockets.entries()) {
      polled.setInt32(8 * index, fd, true);
      polled.setInt16(8 * index + 4, POLLIN, true);
    }
    const bytes = new Uint8Array(polled.buffer);
    if (this.#libc.poll(bytes, BigInt(sockets.length), timeoutMs) <= 0) return;
    for (const [index, fd] of sockets.entries()) {
      if (polled.getInt16(8 * index + 6, true) === 0) continue;
      if (index > 0) this.#read(fd);
      else this.#accept();
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const fd of [...this.#connections.keys()]) this.#drop(fd);
  }

  #accept(): void {
    for (let taken = 0; taken < AT_ONCE; taken++) {
      const fd = acceptSocket(this.#libc, this.#socket);
      if (fd === -EAGAIN) return;
      if (fd === -EMFILE || fd === -ENFILE) {
        this.#tell(
          "full",
          "There are no more descriptors: raise the limit of open files (ulimit -n)",
        );
        // Poll would come back at once: what is connected goes first.
        this.#libc.poll(null, 0n, 100);
      }
      if (fd < 0) return;
      const user = peerUser(this.#libc, fd);
      if (user === undefined || !this.#options.users.has(user)) {
        this.#tell(
          `user ${user}`,
          `User ${user} asked for a device and is not among those of --user`,
        );
        this.#refuse(fd, { answer: "not allowed", value: 0 });
        continue;
      }
      const count = this.#counts.get(user) ?? 0;
      if (count >= MOST_CONNECTIONS) {
        this.#refuse(fd, { answer: "too many", value: MOST_CONNECTIONS });
        continue;
      }
      this.#counts.set(user, count + 1);
      this.#connections.set(fd, { user });
    }
  }

  #refuse(fd: number, answer: BrokerAnswer): void {
    sendMessage(this.#libc, fd, encodeAnswer(answer));
    this.#libc.close(fd);
  }

  #read(fd: number): void {
    const connection = this.#connections.get(fd);
    if (connection === undefined) return;
    // Not recvmsg: descriptors that come with a message are closed by the kernel.
    const length = this.#libc.read(fd, this.#request, BigInt(this.#request.length));
    if (length < 0 && this.#libc.errno() === EAGAIN) return;
    const request = length === BROKER_BYTES && connection.device === undefined
      ? decodeRequest(this.#request.subarray(0, length))
      : undefined;
    if (request === undefined) {
      const { user } = connection;
      if (length > 0) this.#tell(`malformed ${user}`, `User ${user} sent what is no request`);
      this.#drop(fd);
      return;
    }
    const device = this.#devices.take(connection.user, request);
    if (typeof device === "object") {
      connection.device = device;
      const answer = encodeAnswer({ answer: "given", value: device.words });
      if (!sendMessage(this.#libc, fd, answer, device.fd)) this.#drop(fd);
      return;
    }
    const answer: BrokerAnswer = device === "over"
      ? { answer: "over the limit", value: this.#options.limit }
      : { answer: "refused", value: device };
    sendMessage(this.#libc, fd, encodeAnswer(answer));
    this.#drop(fd);
  }

  #drop(fd: number): void {
    const connection = this.#connections.get(fd);
    this.#connections.delete(fd);
    this.#libc.close(fd);
    if (connection === undefined) return;
    const { user, device } = connection;
    const left = (this.#counts.get(user) ?? 1) - 1;
    if (left > 0) this.#counts.set(user, left);
    else this.#counts.delete(user);
    if (device !== undefined) this.#devices.give(device);
  }

  /** Says something once, however often it happens. */
  #tell(what: string, line: string): void {
    if (this.#told.has(what) || this.#told.size > 1000) return;
    this.#told.add(what);
    this.#options.onTrouble(line);
  }
}
