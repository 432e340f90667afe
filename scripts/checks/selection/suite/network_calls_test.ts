/** Small tests of sockets, each of another part. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import { test } from "node:test";

async function listening(server: net.Server, options: net.ListenOptions): Promise<net.AddressInfo> {
  server.listen(options);
  await once(server, "listening");
  return server.address() as net.AddressInfo;
}

test("a connection that nobody takes is refused", async () => {
  const server = net.createServer();
  const { port } = await listening(server, { port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.close(resolve));
  const socket = net.connect(port, "127.0.0.1");
  const [error] = await once(socket, "error");
  assert.equal(error.code, "ECONNREFUSED");
});

test("a port is not taken twice", async () => {
  const server = net.createServer();
  const { port } = await listening(server, { port: 0, host: "127.0.0.1" });
  const other = net.createServer();
  other.listen({ port, host: "127.0.0.1" });
  const [error] = await once(other, "error");
  assert.equal(error.code, "EADDRINUSE");
  await new Promise((resolve) => server.close(resolve));
});

test("the end of one direction reaches the other side", async () => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    socket.on("data", (bytes) => text += bytes);
    socket.on("end", () => socket.end(text.toUpperCase()));
  });
  const { port } = await listening(server, { port: 0, host: "127.0.0.1" });
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end("half");
  let answer = "";
  for await (const bytes of socket) answer += bytes;
  assert.equal(answer, "HALF");
  await new Promise((resolve) => server.close(resolve));
});

test("a datagram arrives, with its sender", async () => {
  const receiver = dgram.createSocket("udp4"), sender = dgram.createSocket("udp4");
  receiver.bind(0, "127.0.0.1");
  await once(receiver, "listening");
  const arrived = once(receiver, "message");
  sender.send("hello", receiver.address().port, "127.0.0.1");
  const [message, from] = await arrived;
  assert.equal(String(message), "hello");
  assert.equal(from.address, "127.0.0.1");
  receiver.close();
  sender.close();
});

test("a socket's path is not taken twice, and gone with it", async () => {
  const path = `/tmp/suite-${process.pid}.sock`;
  const server = net.createServer();
  server.listen(path);
  await once(server, "listening");
  const other = net.createServer();
  other.listen(path);
  const [error] = await once(other, "error");
  assert.equal(error.code, "EADDRINUSE");
  await new Promise((resolve) => server.close(resolve));
  const socket = net.connect(path);
  const [gone] = await once(socket, "error");
  assert.match(gone.code, /ENOENT|ECONNREFUSED/);
});
