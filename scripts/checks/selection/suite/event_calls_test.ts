/** Small tests of descriptors that tell of events. */
import assert from "node:assert/strict";
import fs from "node:fs";
import process from "node:process";
import { test } from "node:test";
import {
  bytes,
  bytesOf,
  cText,
  failsWith,
  succeeds,
  systemCall,
  textOf,
  using,
  usingPair,
} from "./system_call.ts";

const NONBLOCK = 0o4000, CLOEXEC = 0o2000000;
const POLLIN = 1, POLLHUP = 0x10, POLLNVAL = 0x20;

function counterOf(value: bigint): Uint8Array {
  return bytesOf(BigUint64Array.of(value));
}

function readCounter(fd: number): bigint {
  const value = new BigUint64Array(1);
  assert.equal(succeeds("read", fd, bytesOf(value), 8), 8);
  return value[0];
}

test("an event counter adds up, and is empty once it is read", () => {
  using(succeeds("eventfd2", 3, NONBLOCK), (fd) => {
    succeeds("write", fd, counterOf(4n), 8);
    assert.equal(readCounter(fd), 7n);
    failsWith("EAGAIN", "read", fd, counterOf(0n), 8);
    failsWith("EINVAL", "write", fd, counterOf(2n ** 64n - 1n), 8);
    failsWith("EINVAL", "write", fd, counterOf(1n), 4);
  });
});

test("an event counter that is a semaphore gives one at a time", () => {
  using(succeeds("eventfd2", 2, NONBLOCK | 1), (fd) => {
    assert.deepEqual([readCounter(fd), readCounter(fd)], [1n, 1n]);
    failsWith("EAGAIN", "read", fd, counterOf(0n), 8);
  });
  failsWith("EINVAL", "eventfd2", 0, 0x100);
});

test("a full event counter takes no more", () => {
  using(succeeds("eventfd2", 0, NONBLOCK), (fd) => {
    succeeds("write", fd, counterOf(2n ** 64n - 2n), 8);
    failsWith("EAGAIN", "write", fd, counterOf(1n), 8);
    assert.equal(readCounter(fd), 2n ** 64n - 2n);
  });
});

test("a timer's descriptor counts how often it ended", () => {
  using(succeeds("timerfd_create", 1, NONBLOCK), (fd) => {
    failsWith("EAGAIN", "read", fd, counterOf(0n), 8);
    const times = new BigInt64Array([0n, 0n, 0n, 1_000_000n]), left = new BigInt64Array(4);
    succeeds("timerfd_settime", fd, 0, bytesOf(times), 0);
    const wait = bytesOf(Int32Array.of(fd, POLLIN));
    assert.equal(succeeds("poll", wait, 1, 2000), 1);
    assert.equal(readCounter(fd), 1n);
    succeeds("timerfd_gettime", fd, bytesOf(left));
    assert.deepEqual([...left], [0n, 0n, 0n, 0n]);
  });
});

test("a timer of a clock that is none, or with a wrong time, is refused", () => {
  failsWith("EINVAL", "timerfd_create", 99, 0);
  failsWith("EINVAL", "timerfd_create", 1, 0x100);
  using(succeeds("timerfd_create", 1, 0), (fd) => {
    const wrong = bytesOf(BigInt64Array.of(0n, 0n, 0n, 2_000_000_000n));
    failsWith("EINVAL", "timerfd_settime", fd, 0, wrong, 0);
    failsWith("EINVAL", "timerfd_settime", fd, 0x40, bytesOf(new BigInt64Array(4)), 0);
  });
});

test("a timer that is stopped tells what was left, and its interval", () => {
  using(succeeds("timerfd_create", 1, NONBLOCK), (fd) => {
    const hour = BigInt64Array.of(7n, 0n, 3600n, 0n), old = new BigInt64Array(4);
    succeeds("timerfd_settime", fd, 0, bytesOf(hour), 0);
    succeeds("timerfd_settime", fd, 0, bytesOf(new BigInt64Array(4)), bytesOf(old));
    assert.equal(old[0], 7n);
    assert.ok(old[2] > 3500n && old[2] <= 3600n, `${old[2]}`);
  });
});

/** `struct epoll_event` of x86-64, which is packed. */
function pollEvent(events: number, data: number): Uint8Array {
  return bytesOf(Uint32Array.of(events, data, 0));
}

test("epoll knows what it has", () => {
  using(succeeds("epoll_create1", CLOEXEC), (poll) =>
    usingPair("pipe2", [0], (end) => {
      succeeds("epoll_ctl", poll, 1, end, pollEvent(POLLIN, 1));
      failsWith("EEXIST", "epoll_ctl", poll, 1, end, pollEvent(POLLIN, 1));
      succeeds("epoll_ctl", poll, 2, end, 0);
      failsWith("ENOENT", "epoll_ctl", poll, 2, end, 0);
      failsWith("ENOENT", "epoll_ctl", poll, 3, end, pollEvent(POLLIN, 1));
      failsWith("EINVAL", "epoll_ctl", poll, 1, poll, pollEvent(POLLIN, 1));
      failsWith("EINVAL", "epoll_wait", poll, pollEvent(0, 0), 0, 0);
    }));
});

test("epoll tells of an event once where that is wanted", () => {
  const ONESHOT = 2 ** 30;
  using(succeeds("epoll_create1", 0), (poll) =>
    usingPair("pipe2", [0], (reader, writer) => {
      const found = pollEvent(0, 0);
      succeeds("epoll_ctl", poll, 1, reader, pollEvent(POLLIN + ONESHOT, 42));
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 0);
      succeeds("write", writer, bytes("x"), 1);
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 1);
      assert.deepEqual([...new Uint32Array(found.buffer)].slice(0, 2), [POLLIN, 42]);
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 0);
      succeeds("epoll_ctl", poll, 3, reader, pollEvent(POLLIN, 43));
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 1);
    }));
});

test("epoll of an edge is silent until more comes", () => {
  const EDGE = 2 ** 31;
  using(succeeds("epoll_create1", 0), (poll) =>
    usingPair("pipe2", [0], (reader, writer) => {
      const found = pollEvent(0, 0);
      succeeds("epoll_ctl", poll, 1, reader, pollEvent(POLLIN + EDGE, 1));
      succeeds("write", writer, bytes("x"), 1);
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 1);
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 0);
      succeeds("write", writer, bytes("y"), 1);
      assert.equal(succeeds("epoll_wait", poll, found, 1, 0), 1);
    }));
});

test("poll tells what can be read, what has ended and what is no descriptor", () => {
  usingPair("pipe2", [0], (reader, writer) => {
    const entry = bytesOf(Int32Array.of(reader, POLLIN)),
      wrong = bytesOf(Int32Array.of(999, POLLIN));
    const told = (memory: Uint8Array): number => new Uint16Array(memory.buffer)[3];
    assert.equal(succeeds("poll", entry, 1, 0), 0);
    succeeds("write", writer, bytes("x"), 1);
    assert.equal(succeeds("poll", entry, 1, 0), 1);
    assert.equal(told(entry), POLLIN);
    const third = succeeds("dup", reader);
    succeeds("close", third);
    succeeds("read", reader, new Uint8Array(1), 1);
    assert.equal(succeeds("poll", wrong, 1, 0), 1);
    assert.equal(told(wrong), POLLNVAL);
  });
  const pair = new Int32Array(2);
  succeeds("pipe2", bytesOf(pair), 0);
  succeeds("close", pair[1]);
  using(pair[0], (reader) => {
    const entry = bytesOf(Int32Array.of(reader, POLLIN));
    assert.equal(succeeds("poll", entry, 1, 0), 1);
    assert.equal(new Uint16Array(entry.buffer)[3], POLLHUP);
  });
});

test("select tells what can be written", () => {
  usingPair("pipe2", [0], (reader, writer) => {
    const set = (fd: number): BigUint64Array<ArrayBuffer> => {
      const words = new BigUint64Array(16);
      words[fd >> 6] = 1n << BigInt(fd & 63);
      return words;
    };
    const now = bytesOf(new BigInt64Array(2)), read = set(reader), write = set(writer);
    const most = Math.max(reader, writer) + 1;
    assert.equal(succeeds("pselect6", most, bytesOf(read), bytesOf(write), 0, now, 0), 1);
    assert.deepEqual([read[reader >> 6], write[writer >> 6]], [0n, 1n << BigInt(writer & 63)]);
    failsWith("EINVAL", "pselect6", -1, 0, 0, 0, now, 0);
  });
});

test("a watch tells of a file that is made, and ends once", () => {
  const folder = fs.mkdtempSync("/tmp/suite-");
  using(succeeds("inotify_init1", NONBLOCK), (fd) => {
    const watch = succeeds("inotify_add_watch", fd, cText(folder), 0x100);
    failsWith("EAGAIN", "read", fd, new Uint8Array(256), 256);
    fs.writeFileSync(`${folder}/made`, "");
    const event = new Uint8Array(256);
    assert.equal(succeeds("read", fd, event, 256), 32);
    assert.deepEqual([...new Uint32Array(event.buffer, 0, 2)], [watch, 0x100]);
    assert.equal(textOf(event.subarray(16, 20)), "made");
    succeeds("inotify_rm_watch", fd, watch);
    failsWith("EINVAL", "inotify_rm_watch", fd, watch);
    failsWith("EINVAL", "inotify_add_watch", fd, cText(folder), 0);
    failsWith("ENOENT", "inotify_add_watch", fd, cText(`${folder}/none`), 0x100);
  });
  fs.rmSync(folder, { recursive: true });
});

const SIGUSR2 = 12;
const USR2_ONLY = (): Uint8Array => bytesOf(BigUint64Array.of(1n << BigInt(SIGUSR2 - 1)));

/** Runs `body` with a signal blocked on this thread. */
function blocking(body: () => void): void {
  const before = new Uint8Array(8);
  succeeds("rt_sigprocmask", 0, USR2_ONLY(), before, 8);
  try {
    body();
  } finally {
    succeeds("rt_sigprocmask", 2, before, 0, 8);
  }
}

function raise(): void {
  succeeds("tgkill", process.pid, succeeds("gettid"), SIGUSR2);
}

test("a signal is read from a descriptor", () => {
  blocking(() =>
    using(succeeds("signalfd4", -1, USR2_ONLY(), 8, NONBLOCK), (fd) => {
      const signal = new Uint8Array(128);
      failsWith("EAGAIN", "read", fd, signal, 128);
      raise();
      assert.equal(succeeds("read", fd, signal, 128), 128);
      assert.equal(new Uint32Array(signal.buffer)[0], SIGUSR2);
      failsWith("EINVAL", "read", fd, signal, 64);
      failsWith("EINVAL", "signalfd4", -1, USR2_ONLY(), 4, 0);
    })
  );
});

test("a blocked signal is pending until it is waited for", () => {
  blocking(() => {
    const pending = new Uint8Array(8), now = bytesOf(new BigInt64Array(2));
    raise();
    succeeds("rt_sigpending", pending, 8);
    assert.deepEqual(pending, USR2_ONLY());
    assert.equal(succeeds("rt_sigtimedwait", USR2_ONLY(), 0, now, 8), SIGUSR2);
    assert.equal(systemCall("rt_sigtimedwait", USR2_ONLY(), 0, now, 8), -11);
  });
});

test("a timer without a signal is set, asked and deleted", () => {
  const notification = new Int32Array(16), id = new Int32Array(1), left = new BigInt64Array(4);
  notification[3] = 1;
  succeeds("timer_create", 1, bytesOf(notification), bytesOf(id));
  succeeds("timer_settime", id[0], 0, bytesOf(BigInt64Array.of(0n, 0n, 100n, 0n)), 0);
  succeeds("timer_gettime", id[0], bytesOf(left));
  assert.ok(left[2] > 90n && left[2] <= 100n, `${left[2]}`);
  assert.equal(succeeds("timer_getoverrun", id[0]), 0);
  succeeds("timer_delete", id[0]);
  failsWith("EINVAL", "timer_delete", id[0]);
  failsWith("EINVAL", "timer_gettime", id[0], bytesOf(left));
});
