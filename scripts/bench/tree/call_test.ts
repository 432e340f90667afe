import { closeSync, openSync, readSync } from "node:fs";
import { test } from "node:test";

test("calls", { timeout: 120_000 }, () => {
  const fd = openSync("/dev/zero", "r");
  const buffer = new Uint8Array(512);
  for (let call = 0; call < 100_000; call++) readSync(fd, buffer);
  closeSync(fd);
});
