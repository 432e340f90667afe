/** Small tests of calls with sockets that runtimes have no function for. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import {
  addressOf,
  bytes,
  bytesOf,
  cText,
  failsWith,
  succeeds,
  systemCall,
  textOf,
  using,
  usingPair,
  vectorsOf,
} from "./system_call.ts";

const UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16;
const STREAM = 1, DATAGRAM = 2, PACKET = 5, NONBLOCK = 0o4000;
const PEEK = 2, TRUNCATED = 0x20, AT_ONCE = 0x40, NOSIGNAL = 0x4000;
const SOCKET_LEVEL = 1;

function send(fd: number, text: string): number {
  return systemCall("sendto", fd, bytes(text), text.length, NOSIGNAL, 0, 0);
}

function receive(fd: number, flags = AT_ONCE, length = 64): string | number {
  const memory = new Uint8Array(length);
  const result = systemCall("recvfrom", fd, memory, length, flags, 0, 0);
  return result < 0 ? result : textOf(memory, Math.min(result, length));
}

function inetAddress(port: number, host = [127, 0, 0, 1]): Uint8Array {
  return Uint8Array.of(INET, 0, port >> 8, port & 255, ...host, 0, 0, 0, 0, 0, 0, 0, 0);
}

function unixAddress(name: string): Uint8Array {
  return Uint8Array.of(UNIX, 0, 0, ...bytes(name));
}

function option(fd: number, name: number, level = SOCKET_LEVEL): number {
  const value = new Int32Array(1), length = Int32Array.of(4);
  succeeds("getsockopt", fd, level, name, bytesOf(value), bytesOf(length));
  return value[0];
}

function setOption(fd: number, name: number, value: number, level = SOCKET_LEVEL): number {
  return systemCall("setsockopt", fd, level, name, bytesOf(Int32Array.of(value)), 4);
}

function socket(family: number, type: number, body: (fd: number) => void): void {
  using(succeeds("socket", family, type, 0), body);
}

test("what was looked at is still there", () => {
  usingPair("socketpair", [UNIX, STREAM, 0], (one, other) => {
    send(one, "peeked");
    assert.equal(receive(other, PEEK, 4), "peek");
    assert.equal(receive(other, AT_ONCE, 4), "peek");
    assert.equal(receive(other), "ed");
    assert.equal(receive(other), -11);
  });
});

test("an end that is shut is told to the other side", () => {
  usingPair("socketpair", [UNIX, STREAM, 0], (one, other) => {
    succeeds("shutdown", one, 1);
    assert.equal(receive(other), "");
    assert.equal(send(one, "x"), -32);
    assert.equal(send(other, "back"), 4);
    assert.equal(receive(one), "back");
    failsWith("EINVAL", "shutdown", one, 3);
  });
});

test("datagrams are kept apart, and the rest of one is lost", () => {
  usingPair("socketpair", [UNIX, DATAGRAM, 0], (one, other) => {
    send(one, "first");
    send(one, "second");
    assert.equal(receive(other, AT_ONCE, 3), "fir");
    const memory = new Uint8Array(3);
    assert.equal(succeeds("recvfrom", other, memory, 3, TRUNCATED, 0, 0), 6);
    assert.equal(receive(other), -11);
  });
});

test("a socket of packets ends with its peer", () => {
  usingPair("socketpair", [UNIX, PACKET, 0], (one, other) => {
    send(one, "a packet");
    assert.equal(receive(other), "a packet");
    assert.equal(send(other, "and back"), 8);
    assert.equal(receive(one, AT_ONCE, 3), "and");
    assert.equal(receive(one), -11);
    succeeds("shutdown", one, 2);
    assert.equal(receive(other), "");
  });
});

/** `struct msghdr` of one piece of memory and control data. */
function messageOf(
  pieces: Uint8Array,
  count: number,
  control: Uint8Array,
): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.of(
    0n,
    0n,
    addressOf(pieces),
    BigInt(count),
    addressOf(control),
    BigInt(control.length),
    0n,
  );
}

test("a descriptor goes over a socket", () => {
  usingPair(
    "socketpair",
    [UNIX, STREAM, 0],
    (one, other) =>
      usingPair("pipe2", [0], (reader, writer) => {
        const control = bytesOf(Int32Array.of(20, 0, 1, 1, writer, 0)), got = new Int32Array(6);
        const text = bytes("x"), memory = new Uint8Array(1);
        const out = vectorsOf([text]), into = vectorsOf([memory]);
        succeeds("sendmsg", one, bytesOf(messageOf(out, 1, control)), 0);
        succeeds("recvmsg", other, bytesOf(messageOf(into, 1, bytesOf(got))), 0);
        assert.equal(textOf(memory), textOf(text));
        assert.deepEqual([...got.slice(0, 4)], [20, 0, 1, 1]);
        using(got[4], (copy) => {
          assert.notEqual(copy, writer);
          succeeds("write", copy, bytes("through"), 7);
          const read = new Uint8Array(7);
          succeeds("read", reader, read, 7);
          assert.equal(textOf(read), "through");
        });
        assert.equal(control.length + out.length + into.length, 56);
      }),
  );
});

test("who is on the other side is told", () => {
  usingPair("socketpair", [UNIX, STREAM, 0], (one) => {
    const who = new Int32Array(3), length = Int32Array.of(12);
    succeeds("getsockopt", one, SOCKET_LEVEL, 17, bytesOf(who), bytesOf(length));
    assert.deepEqual([...who], [process.pid, process.getuid!(), process.getgid!()]);
  });
});

test("options of sockets are kept, and those that are none refused", () => {
  const REUSE = 2, TYPE = 3, SEND_BUFFER = 7, KEEP_ALIVE = 9, PRIORITY = 12, ACCEPTS = 30;
  socket(INET, STREAM, (fd) => {
    assert.equal(option(fd, REUSE), 0);
    setOption(fd, REUSE, 5);
    assert.equal(option(fd, REUSE), 1);
    setOption(fd, SEND_BUFFER, 10000);
    assert.equal(option(fd, SEND_BUFFER), 20000);
    setOption(fd, KEEP_ALIVE, 1);
    assert.deepEqual([option(fd, KEEP_ALIVE), option(fd, TYPE), option(fd, ACCEPTS)], [
      1,
      STREAM,
      0,
    ]);
    setOption(fd, PRIORITY, 4);
    assert.equal(option(fd, PRIORITY), 4);
    assert.equal(setOption(fd, TYPE, 1), -92);
    assert.equal(setOption(fd, 9999, 1), -92);
  });
});

test("options of TCP have limits", () => {
  const TCP = 6, NODELAY = 1, MAXSEG = 2, KEEP_IDLE = 4, DEFER = 9;
  socket(INET, STREAM, (fd) => {
    setOption(fd, NODELAY, 1, TCP);
    assert.equal(option(fd, NODELAY, TCP), 1);
    setOption(fd, KEEP_IDLE, 120, TCP);
    assert.equal(option(fd, KEEP_IDLE, TCP), 120);
    assert.equal(setOption(fd, KEEP_IDLE, 0, TCP), -22);
    assert.equal(setOption(fd, MAXSEG, 10, TCP), -22);
    setOption(fd, DEFER, 3, TCP);
    assert.ok(option(fd, DEFER, TCP) >= 3);
    assert.equal(setOption(fd, 999, 1, TCP), -92);
  });
});

test("options of IP have limits", () => {
  const IP = 0, TOS = 1, TTL = 2, DISCOVER = 10;
  socket(INET, DATAGRAM, (fd) => {
    setOption(fd, TOS, 0x10, IP);
    setOption(fd, TTL, 9, IP);
    assert.deepEqual([option(fd, TOS, IP), option(fd, TTL, IP)], [0x10, 9]);
    assert.equal(setOption(fd, TTL, 0, IP), -22);
    assert.equal(setOption(fd, TTL, 256, IP), -22);
    setOption(fd, TTL, -1, IP);
    assert.equal(option(fd, TTL, IP), 64);
    assert.equal(setOption(fd, DISCOVER, 9, IP), -22);
  });
});

test("kinds of sockets that are none are refused", () => {
  failsWith("EAFNOSUPPORT", "socket", 999, STREAM, 0);
  assert.equal(systemCall("socket", UNIX, 4, 0), -94);
  failsWith("EINVAL", "socket", INET, 99, 0);
  failsWith("EPROTONOSUPPORT", "socket", INET, STREAM, 17);
  failsWith("EPROTONOSUPPORT", "socket", UNIX, STREAM, 9);
  failsWith("EOPNOTSUPP", "socketpair", INET, STREAM, 0, new Uint8Array(8));
});

test("a socket has one address, and a peer when it is connected", () => {
  socket(INET, STREAM, (fd) => {
    const address = new Uint8Array(16), length = Int32Array.of(16);
    failsWith("ENOTCONN", "getpeername", fd, address, bytesOf(length));
    succeeds("bind", fd, inetAddress(0), 16);
    failsWith("EINVAL", "bind", fd, inetAddress(0), 16);
    succeeds("getsockname", fd, address, bytesOf(length));
    assert.deepEqual([...address.subarray(4, 8)], [127, 0, 0, 1]);
    assert.notEqual(address[2] + address[3], 0);
    failsWith("ENOTCONN", "recvfrom", fd, new Uint8Array(1), 1, AT_ONCE, 0, 0);
  });
  socket(INET, STREAM, (fd) => {
    failsWith("EADDRNOTAVAIL", "bind", fd, inetAddress(0, [8, 8, 8, 8]), 16);
    failsWith("EINVAL", "bind", fd, inetAddress(0), 3);
  });
});

test("a listener takes connections, and no bytes", () => {
  socket(INET, STREAM | NONBLOCK, (listener) => {
    failsWith("EINVAL", "accept4", listener, 0, 0, 0);
    succeeds("bind", listener, inetAddress(0), 16);
    succeeds("listen", listener, 1);
    failsWith("EAGAIN", "accept4", listener, 0, 0, 0);
    failsWith("EINVAL", "accept4", listener, 0, 0, 1);
    const address = new Uint8Array(16);
    succeeds("getsockname", listener, address, bytesOf(Int32Array.of(16)));
    socket(INET, STREAM, (client) => {
      succeeds("connect", client, address, 16);
      using(succeeds("accept4", listener, 0, 0, 0), (server) => {
        send(server, "served");
        assert.equal(receive(client, 0), "served");
        failsWith("EISCONN", "connect", client, address, 16);
      });
      assert.equal(receive(client, 0), "");
    });
    assert.equal(receive(listener), -107);
  });
});

test("a name without a file is one socket's", () => {
  const address = unixAddress(`suite-${process.pid}`);
  socket(UNIX, STREAM, (first) =>
    socket(UNIX, STREAM, (second) => {
      failsWith("ECONNREFUSED", "connect", second, address, address.length);
      succeeds("bind", first, address, address.length);
      failsWith("EADDRINUSE", "bind", second, address, address.length);
      failsWith("ECONNREFUSED", "connect", second, address, address.length);
      succeeds("listen", first, 1);
      succeeds("connect", second, address, address.length);
      using(succeeds("accept4", first, 0, 0, 0), (server) => {
        const name = new Uint8Array(110), length = Int32Array.of(110);
        succeeds("getsockname", server, name, bytesOf(length));
        assert.deepEqual(name.subarray(0, length[0]), address);
      });
    }));
});

test("a datagram to nobody is told to its sender", () => {
  const address = new Uint8Array(16);
  socket(INET, DATAGRAM, (sender) => {
    assert.equal(send(sender, "x"), -89);
    socket(INET, DATAGRAM, (holder) => {
      succeeds("bind", holder, inetAddress(0), 16);
      succeeds("getsockname", holder, address, bytesOf(Int32Array.of(16)));
      succeeds("connect", sender, address, 16);
      assert.equal(send(sender, "over UDP"), 8);
      assert.equal(receive(holder, 0), "over UDP");
      assert.equal(receive(holder), -11);
    });
    assert.equal(send(sender, "x"), 1);
    assert.equal(receive(sender, 0), -111);
  });
});

test("a datagram has a greatest length", () => {
  socket(INET, DATAGRAM, (fd) => {
    const large = new Uint8Array(70000);
    failsWith("EMSGSIZE", "sendto", fd, large, 70000, 0, inetAddress(9), 16);
    failsWith("EACCES", "sendto", fd, large, 1, 0, inetAddress(9, [127, 255, 255, 255]), 16);
    failsWith("EINVAL", "sendto", fd, large, 1, 0, inetAddress(0), 16);
  });
});

test("datagrams of IPv6 arrive over loopback", () => {
  socket(INET6, DATAGRAM, (fd) => {
    const address = new Uint8Array(28), length = Int32Array.of(28);
    address[0] = INET6;
    address[23] = 1;
    succeeds("bind", fd, address, 28);
    succeeds("getsockname", fd, address, bytesOf(length));
    succeeds("sendto", fd, bytes("six"), 3, 0, address, 28);
    assert.equal(receive(fd, 0), "six");
    address.fill(7, 8, 24);
    socket(INET6, STREAM, (other) => failsWith("EADDRNOTAVAIL", "bind", other, address, 28));
  });
});

test("the kernel tells of its network devices", () => {
  socket(NETLINK, DATAGRAM, (fd) => {
    const request = new Uint8Array(32), view = new DataView(request.buffer);
    view.setUint32(0, 32, true);
    view.setUint16(4, 18, true);
    view.setUint16(6, 0x301, true);
    const to = new Uint8Array(12);
    to[0] = NETLINK;
    succeeds("sendto", fd, request, 32, 0, to, 12);
    const answer = new Uint8Array(16384);
    const length = succeeds("recvfrom", fd, answer, answer.length, 0, 0, 0);
    assert.ok(textOf(answer, length).includes(textOf(cText("lo"))));
    view.setUint16(4, 999, true);
    succeeds("sendto", fd, request, 32, 0, to, 12);
    const error = new Int32Array(256);
    let type = 0;
    while (type !== 2) {
      succeeds("recvfrom", fd, bytesOf(error), 1024, 0, 0, 0);
      type = error[1] & 0xffff;
    }
    assert.equal(error[4], -95);
  });
});
