import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { BrokerDevices } from "../../kcov/broker/broker_devices.ts";
import { BROKER_SOCKET } from "../../kcov/broker/broker_message.ts";
import { BrokerServer } from "../../kcov/broker/broker_server.ts";
import { syscallError } from "../../sys/errno.ts";
import { fileError } from "../../sys/file_error.ts";
import { loadLibc } from "../../sys/load.ts";
import type { Libc } from "../../sys/types.ts";
import { connectSocket, listenAt } from "../../sys/sockets/unix_socket.ts";
import { type Command, parseCommandLine, UsageError, warn } from "../command_line.ts";

const DEFAULT_LIMIT = 256;
/** A limit above this is a mistake: it is kernel memory that cannot be swapped. */
const MOST_LIMIT = 1 << 20;
/** How long a signal waits at most. */
const TURN_MS = 300;

const HELP = `kernelcov broker --user NAME|UID… [--limit MIB] [--socket PATH]
    Started as root, lets these users record on this kernel: it opens coverage devices for them, and does nothing else.
    Tests run as their user; the files of debugfs stay root's. Ends with Ctrl-C or SIGTERM.
    --user NAME|UID  a user who gets devices; may be repeated
    --limit MIB      kernel memory of all coverage buffers of a user, ${DEFAULT_LIMIT} by default
    --socket PATH    where it listens, ${BROKER_SOCKET} by default; users set KERNELCOV_BROKER to another place
`;

/** `kernelcov broker`: coverage devices for users who may not open them. */
export const brokerCommand: Command = { help: HELP, run };

async function run(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    user: { type: "string", multiple: true },
    limit: { type: "string", default: String(DEFAULT_LIMIT) },
    socket: { type: "string", default: BROKER_SOCKET },
  });
  const extra = [...operands, ...command][0];
  if (extra !== undefined) throw new UsageError(`Unexpected "${extra}": broker takes no operand`);
  if (values.user === undefined) {
    throw new UsageError("Name the users who may record: --user NAME");
  }
  const limit = Number(values.limit);
  if (!(Number.isInteger(limit) && limit > 0 && limit <= MOST_LIMIT)) {
    throw new UsageError(`--limit ${values.limit} is not a number of MiB from 1 to ${MOST_LIMIT}`);
  }
  const users = new Set(values.user.map(userNumber));
  const libc = loadLibc();
  const devices = new BrokerDevices(libc, limit * 1024 * 1024);
  devices.probe();
  if (devices.tellsComparisons) {
    warn(
      "This kernel has CONFIG_KCOV_ENABLE_COMPARISONS: users with a device can read values that it compares, addresses of the kernel among them",
    );
  }
  let ended = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => ended = true);
  }
  const path = resolve(values.socket);
  const socket = listen(libc, path);
  warn(`Opens coverage devices for ${[...users].map((id) => `user ${id}`).join(", ")} at ${path}`);
  const server = new BrokerServer(libc, socket, devices, { users, limit, onTrouble: warn });
  while (!ended) {
    // Signals come between two turns of the event loop, which cost more than an answer does.
    const until = performance.now() + TURN_MS;
    for (let now = performance.now(); now < until; now = performance.now()) {
      server.serve(Math.ceil(until - now));
    }
    await sleep(0);
  }
  unlinkSync(path);
  server.close();
  return 0;
}

/** The number of a user, by name or number. */
function userNumber(name: string): number {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const { status, stdout } = spawnSync("id", ["-u", "--", name], { encoding: "utf8" });
  if (status === 0) return Number(stdout);
  throw new UsageError(`There is no user ${name}: name one of this machine's, or its number`);
}

/** A socket that anybody can connect to: who asks is told by the kernel. */
function listen(libc: Libc, path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    removeOld(libc, path);
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw fileError("write to", dirname(path), error, "name another place with --socket");
  }
  const socket = listenAt(libc, path);
  if (socket < 0) {
    throw syscallError("bind", -socket, `listen at ${path}`, {
      ENAMETOOLONG: "name a shorter path with --socket",
      otherwise: "name another place with --socket",
    });
  }
  chmodSync(path, 0o666);
  return socket;
}

/** Removes the socket of a broker that was killed. */
function removeOld(libc: Libc, path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw new TypeError(`${path} is not a socket: name another place with --socket`);
  }
  const other = connectSocket(libc, path, 1);
  if (other !== undefined) {
    libc.close(other);
    throw new TypeError(`A broker listens at ${path} already: end it, or name another place`);
  }
  unlinkSync(path);
}
