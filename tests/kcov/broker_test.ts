import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { KCOV_ENABLE, KCOV_INIT_TRACE } from "../../src/kcov/abi.ts";
import { BrokerDevices, type DeviceLibc } from "../../src/kcov/broker/broker_devices.ts";
import {
  BROKER_BYTES,
  type BrokerAnswer,
  decodeAnswer,
  type DeviceRequest,
  encodeRequest,
} from "../../src/kcov/broker/broker_message.ts";
import { BrokerServer } from "../../src/kcov/broker/broker_server.ts";
import { loadLibc } from "../../src/sys/load.ts";
import { cString } from "../../src/sys/native_strings.ts";
import {
  connectSocket,
  listenAt,
  receiveMessage,
  sendMessage,
} from "../../src/sys/sockets/unix_socket.ts";

const USER = process.getuid!();
const O_RDWR = 2;
const EBUSY = 16;
const EACCES = 13;

/** A broker in this process, whose devices are files without an end. */
class Broker implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "kernelcov-broker-"));
  readonly path: string = join(this.folder, "socket");
  readonly libc = loadLibc();
  readonly lines: string[] = [];
  /** errno of the next requests, by request. */
  readonly fail = new Map<bigint, number>();
  /** Words of the buffers that were allocated. */
  readonly allocated: bigint[] = [];
  readonly #socket: number;
  readonly #server: BrokerServer;

  constructor({ users = [USER], limit = 1 }: { users?: number[]; limit?: number } = {}) {
    const { libc } = this;
    let errno: number | undefined;
    const device: DeviceLibc = {
      open: () => libc.open(cString("/dev/null"), O_RDWR, 0),
      close: (fd) => libc.close(fd),
      errno: () => errno ?? libc.errno(),
      ioctl: (_fd, request, argument) => {
        errno = this.fail.get(request);
        if (errno !== undefined) return -1;
        if (request === KCOV_INIT_TRACE) this.allocated.push(argument);
        return 0;
      },
    };
    this.#socket = listenAt(libc, this.path);
    assert.ok(this.#socket > 0);
    const options = {
      users: new Set(users),
      limit,
      onTrouble: (line: string) => this.lines.push(line),
    };
    const devices = new BrokerDevices(device, limit * 1024 * 1024);
    this.#server = new BrokerServer(libc, this.#socket, devices, options);
  }

  connect(): number {
    const fd = connectSocket(this.libc, this.path, 5);
    assert.ok(fd !== undefined);
    return fd;
  }

  /** Serves what is there to serve. */
  serve(): void {
    for (let turn = 0; turn < 3; turn++) this.#server.serve(0);
  }

  /** What a connection is answered. */
  ask(fd: number, request: DeviceRequest): { answer: BrokerAnswer | undefined; device?: number } {
    sendMessage(this.libc, fd, encodeRequest(request));
    this.serve();
    const message = receiveMessage(this.libc, fd, BROKER_BYTES);
    assert.ok(message !== undefined);
    return { answer: decodeAnswer(message.data), device: message.descriptor };
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.libc.close(this.#socket);
    rmSync(this.folder, { recursive: true });
  }
}

const REQUEST = { use: "thread", words: 32_768 } as const;

test("a user of the broker's gets a device, another does not", () => {
  using broker = new Broker();
  const fd = broker.connect();
  const { answer, device } = broker.ask(fd, REQUEST);
  assert.deepEqual(answer, { answer: "given", value: 32_768 });
  assert.ok(device !== undefined && device > 0);
  assert.equal(broker.libc.close(device), 0);
  broker.libc.close(fd);

  using other = new Broker({ users: [USER + 1] });
  for (let round = 0; round < 3; round++) {
    const refused = other.connect();
    const { answer, device } = other.ask(refused, REQUEST);
    assert.deepEqual(answer, { answer: "not allowed", value: 0 });
    assert.equal(device, undefined);
    other.libc.close(refused);
  }
  assert.deepEqual(other.allocated, []);
  // Said once: a user cannot fill a log with it.
  assert.deepEqual(other.lines, [
    `User ${USER} asked for a device and is not among those of --user`,
  ]);
});

test("a user gets no more memory than the limit, whatever is given back and kept", () => {
  using broker = new Broker({ limit: 1 });
  const kept: number[] = [];
  for (let round = 0; round < 10; round++) {
    const connections = Array.from({ length: 5 }, () => broker.connect());
    const answers = connections.map((fd) => broker.ask(fd, REQUEST));
    // 32,768 words are a quarter of a MiB.
    assert.deepEqual(answers.map(({ answer }) => answer), [
      ...Array.from({ length: 4 }, () => ({ answer: "given", value: 32_768 })),
      { answer: "over the limit", value: 1 },
    ]);
    // The connections end; the descriptors are kept.
    kept.push(...answers.flatMap(({ device }) => device ?? []));
    for (const fd of connections) broker.libc.close(fd);
    broker.serve();
  }
  assert.equal(kept.length, 40);
  assert.deepEqual(broker.allocated, [32_768n, 32_768n, 32_768n, 32_768n]);
  for (const fd of kept) broker.libc.close(fd);
});

test("a device that was given back is lent again for the same use and size alone, once no task uses it", () => {
  using broker = new Broker({ limit: 100 });
  function borrow(request: DeviceRequest): void {
    const fd = broker.connect();
    const { answer, device } = broker.ask(fd, request);
    assert.equal(answer?.answer, "given");
    broker.libc.close(device!);
    broker.libc.close(fd);
    broker.serve();
  }
  borrow(REQUEST);
  borrow(REQUEST);
  assert.equal(broker.allocated.length, 1);
  borrow({ ...REQUEST, use: "tracer" });
  borrow({ ...REQUEST, words: 512 });
  assert.equal(broker.allocated.length, 3);
  broker.fail.set(KCOV_ENABLE, EBUSY);
  borrow(REQUEST);
  assert.equal(broker.allocated.length, 4);
  broker.fail.clear();
  borrow(REQUEST);
  assert.equal(broker.allocated.length, 4);
});

test("what the kernel refuses is told", () => {
  using broker = new Broker();
  broker.fail.set(KCOV_INIT_TRACE, EACCES);
  const fd = broker.connect();
  assert.deepEqual(broker.ask(fd, REQUEST).answer, { answer: "refused", value: EACCES });
  broker.libc.close(fd);
});

test("a user has 256 connections at most", () => {
  using broker = new Broker({ limit: 1000 });
  const connections: number[] = [];
  for (let index = 0; index < 257; index++) {
    connections.push(broker.connect());
    broker.serve();
  }
  const last = receiveMessage(broker.libc, connections.at(-1)!, BROKER_BYTES);
  assert.deepEqual(decodeAnswer(last!.data), { answer: "too many", value: 256 });
  for (const fd of connections) broker.libc.close(fd);
  broker.serve();
  const fd = broker.connect();
  assert.equal(broker.ask(fd, REQUEST).answer?.answer, "given");
  broker.libc.close(fd);
});

/** Bytes that no broker understands, of every length and kind. */
function* malformed(count: number): Generator<Uint8Array> {
  const valid = encodeRequest(REQUEST);
  for (let index = 0; index < count; index++) {
    const bytes = valid.slice(0, index % 9);
    // The length is wrong, or a byte of the head, or both.
    if (bytes.length === 8) bytes[[0, 1, 2, 3][(index >> 4) % 4]] ^= 1 + (index >> 6) % 254 | 0x80;
    yield bytes;
  }
}

test("10,000 malformed messages cost nothing but their connections", () => {
  using broker = new Broker();
  const before = readdirSync("/proc/self/fd").length;
  const file = broker.libc.open(cString("/dev/null"), O_RDWR, 0);
  let sent = 0;
  for (const bytes of malformed(10_000)) {
    const fd = broker.connect();
    // Some carry a descriptor, which must not stay in the broker.
    assert.ok(sendMessage(broker.libc, fd, bytes, ++sent % 3 === 0 ? file : undefined));
    broker.serve();
    const message = receiveMessage(broker.libc, fd, BROKER_BYTES);
    assert.ok(message === undefined || message.data.length === 0, `${bytes} was answered`);
    broker.libc.close(fd);
  }
  // A second message on a connection that has its device.
  const fd = broker.connect();
  assert.equal(broker.ask(fd, REQUEST).answer?.answer, "given");
  sendMessage(broker.libc, fd, encodeRequest(REQUEST));
  broker.serve();
  assert.equal(receiveMessage(broker.libc, fd, BROKER_BYTES)?.data.length ?? 0, 0);
  broker.libc.close(fd);
  broker.libc.close(file);
  assert.equal(sent, 10_000);
  assert.deepEqual(broker.lines, [`User ${USER} sent what is no request`]);
  assert.deepEqual(broker.allocated, [32_768n]);
  // What is open beside is the device, which is kept for its user, and the two ends that were taken from it.
  assert.ok(readdirSync("/proc/self/fd").length <= before + 3);
  const next = broker.connect();
  assert.equal(broker.ask(next, REQUEST).answer?.answer, "given");
  broker.libc.close(next);
});
