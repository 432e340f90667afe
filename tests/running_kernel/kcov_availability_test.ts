import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { KcovUnavailableError, type KcovUnavailableReason } from "../../src/errors.ts";
import {
  EMBEDDED_KERNEL_REMEDY,
  inspectHost,
  kcovAvailability,
  type KcovHost,
} from "../../src/kernel/kcov_availability.ts";
import { EACCES, EBUSY, ENOENT, EPERM, type FakeLibc, fakeLibc } from "../_support/fake_libc.ts";

const MOUNTED = "proc /proc proc rw 0 0\ndebugfs /sys/kernel/debug debugfs rw,relatime 0 0\n";
const FILE_SYSTEMS = "nodev\tproc\nnodev\tdebugfs\n\text4\n";

interface FakeHost {
  libc?: FakeLibc;
  platform?: string;
  userId?: number;
  files?: Record<string, string | Uint8Array<ArrayBuffer>>;
  isRecorded?: boolean;
}

function hostOf(
  { libc = fakeLibc(), platform = "linux", userId = 0, files = {}, isRecorded = false }: FakeHost,
): KcovHost {
  const all: Record<string, string | Uint8Array<ArrayBuffer>> = {
    "/proc/filesystems": FILE_SYSTEMS,
    "/proc/mounts": MOUNTED,
    ...files,
  };
  function readBytes(path: string): Uint8Array<ArrayBuffer> | undefined {
    const content = all[path];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  }
  return {
    platform,
    release: "6.12.1",
    userId,
    openLibc: () => libc,
    readBytes,
    readText(path) {
      const bytes = readBytes(path);
      return bytes && new TextDecoder().decode(bytes);
    },
    isRecorded: () => isRecorded,
  };
}

const NOT_SET = Uint8Array.from(gzipSync("CONFIG_X86=y\n# CONFIG_KCOV is not set\n"));
const SET = Uint8Array.from(gzipSync("CONFIG_KCOV=y\n"));

const cases: [string, FakeHost, KcovUnavailableReason, RegExp][] = [
  [
    "another system",
    { platform: "darwin" },
    "not-linux",
    /darwin, not Linux: run the tests on Linux$/,
  ],
  [
    "a kernel built without KCOV, as /proc/config.gz tells",
    { libc: fakeLibc({ fail: { open: ENOENT } }), files: { "/proc/config.gz": NOT_SET } },
    "not-built-in",
    /built without KCOV/,
  ],
  [
    "a kernel built without KCOV, as /boot tells, though the folder is closed to this user",
    {
      libc: fakeLibc({ fail: { open: EACCES } }),
      userId: 1000,
      files: { "/boot/config-6.12.1": "# CONFIG_KCOV is not set\n" },
    },
    "not-built-in",
    /built without KCOV/,
  ],
  [
    "debugfs not mounted",
    {
      libc: fakeLibc({ fail: { open: ENOENT } }),
      files: { "/proc/mounts": "proc /proc proc rw 0 0\n", "/proc/config.gz": SET },
    },
    "no-debugfs",
    /mount -t debugfs none \/sys\/kernel\/debug/,
  ],
  [
    "a kernel without debugfs",
    { libc: fakeLibc({ fail: { open: ENOENT } }), files: { "/proc/filesystems": "nodev\tproc\n" } },
    "no-debugfs",
    /CONFIG_DEBUG_FS=y/,
  ],
  [
    "no device although debugfs is mounted",
    { libc: fakeLibc({ fail: { open: ENOENT } }) },
    "not-built-in",
    /has no \/sys\/kernel\/debug\/kcov: use a kernel with CONFIG_KCOV=y/,
  ],
  [
    "a user who may not open it",
    { libc: fakeLibc({ fail: { open: EACCES } }), userId: 1000 },
    "not-permitted",
    /by user 1000: run as root/,
  ],
  [
    "lockdown",
    {
      libc: fakeLibc({ fail: { open: EPERM } }),
      files: { "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n" },
    },
    "locked-down",
    /lockdown=none/,
  ],
  [
    "a security policy",
    {
      libc: fakeLibc({ fail: { open: EPERM } }),
      files: { "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n" },
    },
    "not-permitted",
    /seccomp or security policy/,
  ],
  [
    "gVisor",
    {
      libc: fakeLibc({ fail: { open: ENOENT } }),
      files: { "/proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n" },
    },
    "not-built-in",
    /gVisor/,
  ],
  [
    "a kernel whose code has no coverage calls",
    { libc: fakeLibc() },
    "no-callbacks",
    /-fsanitize-coverage/,
  ],
];

for (const [name, host, reason, message] of cases) {
  test(`kcovAvailability() recognises ${name}`, () => {
    const availability = inspectHost(hostOf(host));
    assert.equal(availability.available, false);
    assert.equal(availability.reason, reason);
    assert.match(availability.message, message);
    assert.doesNotMatch(availability.message, /\n/);
    if (host.platform === undefined) {
      assert.ok(availability.message.includes(EMBEDDED_KERNEL_REMEDY), availability.message);
    }
    const failed = availability.findings.filter(({ ok }) => ok === false);
    assert.ok(failed.length > 0);
    for (const { change } of failed) assert.ok(change, "each failed finding says what to change");
    assert.equal(host.libc?.openDescriptors.size ?? 0, 0, "nothing is left open");
  });
}

test("kcovAvailability() says yes where a system call was recorded", () => {
  const libc = fakeLibc({ pcs: { read: [0x6000_0010n, 0x6000_0020n] }, unique: true });
  const availability = inspectHost(hostOf({ libc, files: { "/proc/config.gz": SET } }));
  assert.equal(availability.available, true);
  assert.equal(availability.reason, undefined);
  assert.equal(availability.uniqueMode, true);
  assert.ok(availability.findings.every(({ ok }) => ok === true));
  assert.equal(libc.openDescriptors.size, 0);
  assert.equal(libc.mappings.size, 0);
});

test("kcovAvailability() of a process that is recorded already does not try to record it", () => {
  // Nothing would be recorded if it tried.
  const libc = fakeLibc({ pcs: {}, unique: true });
  const plain = hostOf({ libc });
  assert.equal(inspectHost(plain).reason, "no-callbacks");
  const { available, message, uniqueMode } = inspectHost({ ...plain, isRecorded: () => true });
  assert.deepEqual([available, uniqueMode], [true, true]);
  assert.match(message, /being recorded by kernelcov/);
  assert.equal(libc.openDescriptors.size, 0);
});

test("kcovAvailability() passes on why libc cannot be opened", () => {
  const host = {
    ...hostOf({}),
    openLibc() {
      throw new KcovUnavailableError("no-libc", "Cannot open libc: run deno with --allow-ffi");
    },
  };
  assert.equal(inspectHost(host).reason, "no-libc");
});

test("kcovAvailability() works on this machine", () => {
  const { available, message, findings } = kcovAvailability();
  assert.equal(typeof available, "boolean");
  assert.ok(message.length > 0 && findings.length > 0);
});

test("a thread that is recorded already is busy, unless it is by this library", () => {
  const libc = () => fakeLibc({ pcs: { read: [1n] }, fail: { KCOV_ENABLE: EBUSY } });
  const other = inspectHost(hostOf({ libc: libc() }));
  assert.equal(other.available, false);
  assert.equal(other.reason, "busy");
  const own = inspectHost(hostOf({ libc: libc(), isRecorded: true }));
  assert.equal(own.available, true);
  assert.equal(own.reason, undefined);
  assert.match(own.message, /this thread is being recorded by kernelcov$/);
});
