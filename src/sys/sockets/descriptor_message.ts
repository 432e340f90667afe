const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** `struct msghdr`, `struct iovec`, the data, `struct cmsghdr` with a descriptor, and a pair of descriptors. */
const VECTOR_AT = 56;
const DATA_AT = 72;
const CONTROL_AT = 80;
const CONTROL_BYTES = 24;
/** Where the numbers of a pair of sockets go. */
export const PAIR_AT = 104n;
/** Bytes of a message. */
export const MESSAGE_BYTES = 112;
/** Bytes of data that a message has room for. */
const DATA_BYTES = 8;

/**
 * A message of up to {@linkcode DATA_BYTES} and one descriptor, as `sendmsg` and `recvmsg` take it
 * (`include/linux/socket.h`), with all that it points to, and room for the sockets that it goes through. The same on
 * every 64-bit Linux.
 */
export class DescriptorMessage {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(MESSAGE_BYTES);
  readonly #view = new DataView(this.bytes.buffer);

  /**
   * @param address Where it will lie.
   * @param descriptor What to send; the receiver ignores it. `null` sends none.
   * @param data What to send, or as many bytes as are received at most.
   */
  constructor(
    address: bigint,
    descriptor: number | null = -1,
    data: Uint8Array = new Uint8Array(1),
  ) {
    const view = this.#view;
    view.setBigUint64(16, address + BigInt(VECTOR_AT), true); // msg_iov
    view.setBigUint64(24, 1n, true); // msg_iovlen
    view.setBigUint64(32, address + BigInt(CONTROL_AT), true); // msg_control
    view.setBigUint64(40, BigInt(descriptor === null ? 0 : CONTROL_BYTES), true); // msg_controllen
    view.setBigUint64(VECTOR_AT, address + BigInt(DATA_AT), true);
    view.setBigUint64(VECTOR_AT + 8, BigInt(data.length), true);
    this.bytes.set(data, DATA_AT);
    view.setBigUint64(CONTROL_AT, 20n, true); // cmsg_len
    view.setInt32(CONTROL_AT + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL_AT + 12, SCM_RIGHTS, true);
    view.setInt32(CONTROL_AT + 16, descriptor ?? -1, true);
  }

  /** Whether one was received. */
  get hasDescriptor(): boolean {
    return this.#view.getBigUint64(40, true) >= 20n &&
      this.#view.getInt32(CONTROL_AT + 12, true) === SCM_RIGHTS;
  }

  /** The descriptor that was received. */
  get descriptor(): number {
    return this.#view.getInt32(CONTROL_AT + 16, true);
  }

  /** The data that was received. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(DATA_AT, DATA_AT + DATA_BYTES);
  }

  /** The sockets that `socketpair` made. */
  get pair(): [number, number] {
    const at = Number(PAIR_AT);
    return [this.#view.getInt32(at, true), this.#view.getInt32(at + 4, true)];
  }
}
