import { check } from "./errno.ts";
import type { LibcPart } from "./types.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/** Memory shared with the kernel or another process through a descriptor. Read and written in place. */
export class SharedMapping implements Disposable {
  readonly #libc: LibcPart<"mmap" | "munmap">;
  readonly #address: bigint;
  readonly #byteLength: number;
  #buffer: ArrayBuffer;
  #mapped = true;

  /**
   * Maps the first `byteLength` bytes of `fd`.
   *
   * @param what What is mapped, for the error: follows "Cannot map".
   * @param viewedBytes How much of it `buffer` is: a runtime takes it for memory of its own, and collects garbage sooner.
   * @throws {SyscallError} Where the kernel refuses.
   */
  constructor(
    libc: LibcPart<"mmap" | "munmap">,
    fd: number,
    byteLength: number,
    what: string,
    viewedBytes: number = byteLength,
  ) {
    const length = BigInt(byteLength);
    const address = libc.mmap(0n, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0n);
    this.#address = check(libc, "mmap", address, `map ${what}`, {
      ENOMEM: "use a smaller buffer, or raise vm.max_map_count or the memory limit",
      otherwise: "check that its size is what was asked for",
    });
    this.#libc = libc;
    this.#byteLength = byteLength;
    try {
      this.#buffer = libc.view(this.#address, Math.min(viewedBytes, byteLength));
    } catch (error) {
      // Without a view (Deno with --allow-ffi scoped to a path) the mapping would never be released.
      libc.munmap(this.#address, length);
      throw error;
    }
  }

  /** The memory, or its beginning. Detached once disposed, so that a late use is a `TypeError` and not a crash. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /**
   * Calls `use` with the first `byteLength` bytes of the memory, all by default, which are detached afterwards.
   *
   * @throws {TypeError} It is disposed.
   */
  viewed<Result>(use: (memory: ArrayBuffer) => Result, byteLength = this.#byteLength): Result {
    if (!this.#mapped) throw new TypeError("Cannot use shared memory that was unmapped");
    const memory = this.#libc.view(this.#address, Math.min(byteLength, this.#byteLength));
    try {
      return use(memory);
    } finally {
      memory.transfer(0);
    }
  }

  /** Where the memory lies in this process. */
  get address(): bigint {
    return this.#address;
  }

  /** Detaches the buffer, then unmaps the memory; once, however often it is called. */
  [Symbol.dispose](): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    // munmap under a live view would crash the process at the next read (SIGSEGV).
    this.#buffer.transfer(0);
    const result = this.#libc.munmap(this.#address, BigInt(this.#byteLength));
    check(this.#libc, "munmap", result, "unmap shared memory", "report this as a defect");
  }
}
