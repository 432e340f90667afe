// A datagram over loopback: sending it is the test's system call, receiving it the kernel's work on its behalf.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test(
  "a datagram comes back",
  withKernelCoverage(async (cov) => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.send("there and back", socket.address().port, "127.0.0.1");
    const [message] = await once(socket, "message");
    socket.close();
    assert.equal(String(message), "there and back");
    if (cov.available) assert.ok(cov.reached("udp_rcv", { origin: "behalf" }));
  }),
);
