import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean, nearestNames } from "../../src/base/nearest_names.ts";

const NAMES = ["do_pipe2", "do_pipe_flags", "pipe_write", "pipe_read", "vfs_read", "vfs_write"];

test("the nearest names come first: letters added, left out, changed or swapped", () => {
  assert.deepEqual(nearestNames("do_pipe3", NAMES), ["do_pipe2"]);
  assert.deepEqual(nearestNames("pipe_wriet", NAMES).slice(0, 1), ["pipe_write"]);
  assert.deepEqual(nearestNames("pip_read", NAMES).slice(0, 1), ["pipe_read"]);
  assert.deepEqual(nearestNames("vfs_reead", NAMES).slice(0, 1), ["vfs_read"]);
  assert.deepEqual(nearestNames("pipe", NAMES), ["do_pipe2", "pipe_read", "pipe_write"]);
  assert.deepEqual(nearestNames("schedule", NAMES), []);
});

test("there is a question only where something is near", () => {
  assert.equal(didYouMean("schedule", NAMES), "");
  assert.equal(didYouMean("do_pipe3", NAMES), ": did you mean do_pipe2?");
  assert.equal(didYouMean("vfs_", NAMES), ": did you mean vfs_read or vfs_write?");
});
