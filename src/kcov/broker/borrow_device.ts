import { SyscallError } from "../../errors.ts";
import { errnoName } from "../../sys/errno.ts";
import { environmentVariable, userId } from "../../sys/runtime.ts";
import {
  connectSocket,
  receiveMessage,
  sendMessage,
  type SocketLibc,
} from "../../sys/sockets/unix_socket.ts";
import {
  BROKER_BYTES,
  BROKER_SOCKET,
  BROKER_VARIABLE,
  type BrokerAnswer,
  decodeAnswer,
  type DeviceRequest,
  encodeRequest,
} from "./broker_message.ts";

/** Seconds after which a broker that does not answer is given up. */
const PATIENCE = 10;

const EACCES = 13;
const ENOMEM = 12;
const EPROTO = 71;
const EDQUOT = 122;

/** A device that a broker has opened, with its buffer allocated. */
export interface BorrowedDevice {
  readonly fd: number;
  /** The connection: while it is open the device is in use. */
  readonly lease: number;
}

/** Where the broker's socket would be. */
export function brokerSocket(): string {
  return environmentVariable(BROKER_VARIABLE) || BROKER_SOCKET;
}

/**
 * Asks the broker of this machine for a device.
 *
 * @returns The device; why there is none; `undefined` where there is no broker.
 */
export function borrowDevice(
  libc: SocketLibc,
  request: DeviceRequest,
): BorrowedDevice | SyscallError | undefined {
  const path = brokerSocket();
  const lease = connectSocket(libc, path, PATIENCE);
  if (lease === undefined) return undefined;
  sendMessage(libc, lease, encodeRequest(request));
  // A broker that refuses a connection has answered before the request.
  const message = receiveMessage(libc, lease, BROKER_BYTES);
  const answer = message === undefined ? undefined : decodeAnswer(message.data);
  const fd = message?.descriptor;
  if (answer?.answer === "given" && fd !== undefined) return { fd, lease };
  if (fd !== undefined) libc.close(fd);
  libc.close(lease);
  return refusal(path, answer);
}

function refusal(path: string, answer: BrokerAnswer | undefined): SyscallError {
  function error(errno: number, why: string): SyscallError {
    return new SyscallError("open", errno, errnoName(errno), `The broker at ${path} ${why}`);
  }
  switch (answer?.answer) {
    case "not allowed":
      return error(
        EACCES,
        `does not serve user ${userId() ?? "?"}: start it with --user for that user`,
      );
    case "over the limit":
      return error(
        EDQUOT,
        `lets a user have ${answer.value} MiB of coverage buffers: end other test runs, use smaller buffers, or start it with a larger --limit`,
      );
    case "too many":
      return error(EDQUOT, `gives a user ${answer.value} devices at a time: end other test runs`);
    case "refused":
      return answer.value === ENOMEM
        ? error(ENOMEM, "got no kernel memory for the buffer: use a smaller one")
        : error(
          answer.value,
          `cannot open a device (${errnoName(answer.value)}): run kernelcov doctor as root`,
        );
    default:
      return error(EPROTO, "does not answer as this version does: start that of this kernelcov");
  }
}
