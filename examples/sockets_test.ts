// Sockets over loopback. Run with `deno test -A examples` or `bun test ./examples`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

/** A server that sends back what it gets. */
function echoServer(): Server {
  return createServer((socket) => socket.pipe(socket));
}

/** Sends `text` to a server that echoes, and gives what came back. */
async function echo(to: { port: number; host: string } | { path: string }, text: string) {
  const socket = connect(to);
  socket.setEncoding("utf8");
  socket.end(text);
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

test(
  "a TCP connection echoes",
  withKernelCoverage(async () => {
    const server = echoServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(await echo({ port, host: "127.0.0.1" }, "over TCP"), "over TCP");
    server.close();
    await once(server, "close");
  }),
);

test(
  "a unix socket echoes",
  withKernelCoverage(async () => {
    const folder = mkdtempSync(join(tmpdir(), "example-"));
    const path = join(folder, "socket");
    const server = echoServer();
    server.listen(path);
    await once(server, "listening");
    assert.equal(await echo({ path }, "over a path"), "over a path");
    server.close();
    await once(server, "close");
    rmSync(folder, { recursive: true });
  }),
);
