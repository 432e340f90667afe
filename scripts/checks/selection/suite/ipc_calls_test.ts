/** Small tests of messages, semaphores and shared memory. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import {
  bytes,
  bytesOf,
  cText,
  failsWith,
  memoryAt,
  succeeds,
  systemCall,
  textOf,
  using,
} from "./system_call.ts";

const PRIVATE = 0, CREATE = 0o1000, EXCLUSIVE = 0o2000, NOWAIT = 0o4000, REMOVE = 0;

function message(type: number, text: string): Uint8Array {
  const out = new Uint8Array(8 + text.length);
  out[0] = type;
  out.set(bytes(text), 8);
  return out;
}

function withQueue(body: (queue: number) => void): void {
  const queue = succeeds("msgget", PRIVATE, CREATE | 0o600);
  try {
    body(queue);
  } finally {
    systemCall("msgctl", queue, REMOVE, 0);
  }
}

test("messages come by type, or in their order", () => {
  withQueue((queue) => {
    for (const [type, text] of [[2, "two"], [3, "three"], [1, "one"]] as const) {
      succeeds("msgsnd", queue, message(type, text), text.length, 0);
    }
    const taken = (type: number): string => {
      const memory = new Uint8Array(72);
      return textOf(memory.subarray(8), succeeds("msgrcv", queue, memory, 64, type, NOWAIT));
    };
    assert.deepEqual([taken(3), taken(-2), taken(0)], ["three", "one", "two"]);
    failsWith("ENOMSG", "msgrcv", queue, new Uint8Array(72), 64, 0, NOWAIT);
  });
});

test("a message that is too long is left, or cut where that is wanted", () => {
  const NOERROR = 0o10000;
  withQueue((queue) => {
    succeeds("msgsnd", queue, message(1, "abcdef"), 6, 0);
    const memory = new Uint8Array(72);
    failsWith("E2BIG", "msgrcv", queue, memory, 3, 0, NOWAIT);
    assert.equal(succeeds("msgrcv", queue, memory, 3, 0, NOWAIT | NOERROR), 3);
    assert.equal(textOf(memory.subarray(8), 3), "abc");
    failsWith("ENOMSG", "msgrcv", queue, memory, 3, 0, NOWAIT);
  });
});

test("a message needs a type, and a queue that is there", () => {
  withQueue((queue) => {
    failsWith("EINVAL", "msgsnd", queue, message(0, "x"), 1, 0);
    failsWith("EINVAL", "msgsnd", queue, message(1, "x"), 1 << 20, 0);
    succeeds("msgctl", queue, REMOVE, 0);
    failsWith("EINVAL", "msgsnd", queue, message(1, "x"), 1, 0);
  });
  failsWith("ENOENT", "msgget", 0x7eed0001, 0);
});

test("a queue that is full makes its sender wait", () => {
  withQueue((queue) => {
    const large = message(1, "x".repeat(8000));
    succeeds("msgsnd", queue, large, 8000, NOWAIT);
    succeeds("msgsnd", queue, large, 8000, NOWAIT);
    failsWith("EAGAIN", "msgsnd", queue, large, 8000, NOWAIT);
    const state = new BigUint64Array(15);
    succeeds("msgctl", queue, 2, bytesOf(state));
    assert.deepEqual([...state.slice(9, 12)], [16000n, 2n, 16384n]);
  });
});

function withSemaphores(count: number, body: (set: number) => void): void {
  const set = succeeds("semget", PRIVATE, count, CREATE | 0o600);
  try {
    body(set);
  } finally {
    systemCall("semctl", set, 0, REMOVE, 0);
  }
}

/** `struct sembuf`s. */
function operations(...of: (readonly [number, number, number])[]): Uint8Array {
  return bytesOf(Uint16Array.from(of.flat()));
}

const GET_VALUE = 12, GET_ALL = 13, SET_VALUE = 16;

test("semaphores go up and down, all of a call or none", () => {
  withSemaphores(2, (set) => {
    succeeds("semop", set, operations([0, 3, 0], [1, 1, 0]), 2);
    failsWith("EAGAIN", "semop", set, operations([0, -1, 0], [1, -2, NOWAIT]), 2);
    assert.equal(succeeds("semctl", set, 0, GET_VALUE, 0), 3);
    succeeds("semop", set, operations([0, -3, 0]), 1);
    succeeds("semop", set, operations([0, 0, NOWAIT]), 1);
    const all = new Uint16Array(2);
    succeeds("semctl", set, 0, GET_ALL, bytesOf(all));
    assert.deepEqual([...all], [0, 1]);
  });
});

test("a semaphore has a highest value, and a set a number of them", () => {
  withSemaphores(1, (set) => {
    succeeds("semctl", set, 0, SET_VALUE, 32767);
    failsWith("ERANGE", "semctl", set, 0, SET_VALUE, 32768);
    failsWith("ERANGE", "semop", set, operations([0, 1, 0]), 1);
    failsWith("EFBIG", "semop", set, operations([1, 1, 0]), 1);
    failsWith("EINVAL", "semctl", set, 1, GET_VALUE, 0);
  });
  failsWith("EINVAL", "semget", PRIVATE, 0, CREATE);
});

test("waiting for a semaphore ends with its time", () => {
  withSemaphores(1, (set) => {
    const soon = bytesOf(BigInt64Array.of(0n, 1_000_000n));
    failsWith("EAGAIN", "semtimedop", set, operations([0, -1, 0]), 1, soon);
    const wrong = bytesOf(BigInt64Array.of(0n, -1n));
    failsWith("EINVAL", "semtimedop", set, operations([0, -1, 0]), 1, wrong);
  });
});

test("a key is of one set, which has a size", () => {
  const key = 0x7eed0002;
  const set = succeeds("semget", key, 2, CREATE | EXCLUSIVE | 0o600);
  try {
    failsWith("EEXIST", "semget", key, 2, CREATE | EXCLUSIVE);
    assert.equal(succeeds("semget", key, 1, 0), set);
    failsWith("EINVAL", "semget", key, 3, 0);
  } finally {
    succeeds("semctl", set, 0, REMOVE, 0);
  }
});

test("shared memory is the same wherever it is attached", () => {
  const id = succeeds("shmget", PRIVATE, 5000, CREATE | 0o600);
  const state = new BigUint64Array(14);
  try {
    const first = BigInt(succeeds("shmat", id, 0, 0)),
      second = BigInt(succeeds("shmat", id, 0, 0o10000));
    memoryAt(first, 5000).set(bytes("shared"));
    assert.equal(textOf(memoryAt(second, 5000), 6), "shared");
    succeeds("shmctl", id, 2, bytesOf(state));
    assert.deepEqual([state[6], state[11]], [5000n, 2n]);
    succeeds("shmdt", first);
    succeeds("shmdt", second);
    failsWith("EINVAL", "shmdt", second);
  } finally {
    succeeds("shmctl", id, REMOVE, 0);
  }
  failsWith("EINVAL", "shmat", id, 0, 0);
});

test("shared memory has a size of its own", () => {
  const key = 0x7eed0003;
  failsWith("EINVAL", "shmget", PRIVATE, 0, CREATE);
  const id = succeeds("shmget", key, 4096, CREATE | EXCLUSIVE | 0o600);
  try {
    failsWith("EINVAL", "shmget", key, 9000, 0);
    failsWith("EEXIST", "shmget", key, 4096, CREATE | EXCLUSIVE);
    failsWith("EINVAL", "shmat", id, 0x1001, 0);
  } finally {
    succeeds("shmctl", id, REMOVE, 0);
  }
});

test("a message queue gives the most urgent first", () => {
  const name = cText(`suite-${process.pid}`), priority = new Uint32Array(1);
  const attributes = bytesOf(BigInt64Array.of(0n, 2n, 16n, 0n, 0n, 0n, 0n, 0n));
  const NONBLOCK = 0o4000;
  using(succeeds("mq_open", name, 0o302 | NONBLOCK, 0o600, attributes), (queue) => {
    succeeds("mq_timedsend", queue, bytes("low"), 3, 1, 0);
    succeeds("mq_timedsend", queue, bytes("high"), 4, 9, 0);
    failsWith("EAGAIN", "mq_timedsend", queue, bytes("x"), 1, 0, 0);
    failsWith("EMSGSIZE", "mq_timedsend", queue, new Uint8Array(17), 17, 0, 0);
    const memory = new Uint8Array(16);
    failsWith("EMSGSIZE", "mq_timedreceive", queue, memory, 8, 0, 0);
    assert.equal(succeeds("mq_timedreceive", queue, memory, 16, bytesOf(priority), 0), 4);
    assert.deepEqual([textOf(memory, 4), priority[0]], ["high", 9]);
    assert.equal(succeeds("mq_timedreceive", queue, memory, 16, bytesOf(priority), 0), 3);
    failsWith("EAGAIN", "mq_timedreceive", queue, memory, 16, 0, 0);
    failsWith("EEXIST", "mq_open", name, 0o300, 0o600, 0);
    succeeds("mq_unlink", name);
  });
  failsWith("ENOENT", "mq_unlink", name);
});
