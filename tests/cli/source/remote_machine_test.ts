import assert from "node:assert/strict";
import { test } from "node:test";
import { argumentsOf, remoteMachine } from "../../../src/cli/recording/remote_run.ts";

test("a URL of ssh names a machine and a folder there", () => {
  assert.equal(remoteMachine(undefined), undefined);
  assert.equal(remoteMachine("./bzImage"), undefined);
  assert.deepEqual(remoteMachine("ssh://host"), { destination: ["host"], folder: undefined });
  assert.deepEqual(remoteMachine("ssh://me@host.example:22/a%20b"), {
    destination: ["-l", "me", "-p", "22", "host.example"],
    folder: "/a b",
  });
  assert.deepEqual(remoteMachine("ssh://[fe80::1]/"), {
    destination: ["fe80::1"],
    folder: undefined,
  });
});

test("what is no such URL is an error, and no option of ssh", () => {
  for (
    const url of ["ssh:host", "ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://-l@host"]
  ) {
    assert.throws(() => remoteMachine(url), {
      name: "UsageError",
      message: `${url} is not a machine: use ssh://[USER@]HOST[:PORT][/FOLDER]`,
    });
  }
});

test("options go on as they were given, without those that say where", () => {
  const values = { kernel: "ssh://host", out: "here", text: true, all: false, only: ["fs", "-x"] };
  assert.deepEqual(argumentsOf(values), ["--text", "--only=fs", "--only=-x"]);
});
