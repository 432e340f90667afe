// How a process without rights asks a broker for a device: a connection of SOCK_SEQPACKET, on which it sends one request
// and gets one answer, and with it the descriptor. The connection is open as long as the device is in use.

/** Where a broker listens by default. */
export const BROKER_SOCKET = "/run/kernelcov/broker.sock";
/** Names another place. */
export const BROKER_VARIABLE = "KERNELCOV_BROKER";

/** Bytes of a request, and of an answer. */
export const BROKER_BYTES = 8;

const MAGIC = 0x6b; // k
const VERSION = 1;

/** What a device is for: what one use has told a device stays, so that no other gets it later. */
const DEVICE_USES = ["thread", "tracer", "collector"] as const;
export type DeviceUse = (typeof DEVICE_USES)[number];

/** A request: a device with a buffer of so many words. */
export interface DeviceRequest {
  readonly use: DeviceUse;
  readonly words: number;
}

/** What a broker answers. Of a refusal `value` says more: the limit in MiB, or the errno. */
const ANSWERS = ["given", "not allowed", "over the limit", "refused", "too many"] as const;
export type BrokerAnswer = {
  readonly answer: (typeof ANSWERS)[number];
  readonly value: number;
};

function encode(code: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BROKER_BYTES);
  bytes.set([MAGIC, VERSION, code]);
  new DataView(bytes.buffer).setUint32(4, value, true);
  return bytes;
}

/** Code and value; `undefined` where it is no message of this version. */
function decode(bytes: Uint8Array): [code: number, value: number] | undefined {
  if (bytes.length !== BROKER_BYTES || bytes[0] !== MAGIC || bytes[1] !== VERSION) return undefined;
  if (bytes[3] !== 0) return undefined;
  return [bytes[2], new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)];
}

/** The bytes of a request. */
export function encodeRequest({ use, words }: DeviceRequest): Uint8Array<ArrayBuffer> {
  return encode(DEVICE_USES.indexOf(use), words);
}

/** The request; `undefined` where the bytes are none. */
export function decodeRequest(bytes: Uint8Array): DeviceRequest | undefined {
  const [code, words] = decode(bytes) ?? [];
  const use = DEVICE_USES[code ?? -1];
  return use === undefined || words === undefined ? undefined : { use, words };
}

/** The bytes of an answer. */
export function encodeAnswer({ answer, value }: BrokerAnswer): Uint8Array<ArrayBuffer> {
  return encode(ANSWERS.indexOf(answer), value);
}

/** The answer; `undefined` where the bytes are none. */
export function decodeAnswer(bytes: Uint8Array): BrokerAnswer | undefined {
  const [code, value] = decode(bytes) ?? [];
  const answer = ANSWERS[code ?? -1];
  return answer === undefined || value === undefined ? undefined : { answer, value };
}
