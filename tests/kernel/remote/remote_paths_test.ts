import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type RemoteSource, withKernelCoverage } from "kernelcov";
import { parseAddress } from "../../../src/base/address.ts";
import { REMOTE_ORIGIN } from "../../../src/kcov/remote/join_remote.ts";
import type { CoverageAnswers } from "../../../src/assertions/coverage_answers.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

// These tests must fail where coverage is missing, not pass without it.
process.env.KERNELCOV = "require";
const folder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
process.env.KERNELCOV_RUN = join(folder, "run");
after(() => {
  delete process.env.KERNELCOV;
  delete process.env.KERNELCOV_RUN;
});

const ROUNDS = 12;
// gcc takes its time in a user-mode kernel.
const SLOW = {
  timeout: timeLimit(120_000),
  skip: !existsSync("/dev/vhost-vsock") &&
    "this kernel has no such workers: kernelcov kernel build --remote",
};
const SOURCE = fileURLToPath(new URL("./fixtures/remote_paths.c", import.meta.url));
const program = join(folder, "remote_paths");
execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-pthread", "-o", program, SOURCE]);

/** What workers of the kernel run alone, by the path. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  vhost: ["vhost_flush_work", "vhost_transport_send_pkt_work", "vhost_vsock_handle_tx_kick"],
  // What nci_cmd_work runs itself is ahead of its mark; what it calls is behind it.
  nfc: ["nci_rx_work", "nci_rsp_packet", "virtual_nci_send"],
};

/** A test that has workers of the kernel do something; its coverage. */
function ran(path: string, remote: readonly RemoteSource[] | undefined) {
  return withKernelCoverage((cov) => {
    execFileSync(program, ["run", path]);
    return cov;
  }, { name: path, ...remote === undefined ? {} : { remote } })();
}

/** The remote PCs of a test. */
function remotePcs(cov: ReturnType<typeof ran>): number[] {
  return (cov as unknown as CoverageAnswers).ask((_, { pcs, origins = [] }) =>
    origins.filter(({ origin }) => origin === REMOTE_ORIGIN)
      .flatMap(({ points }) => [...points].map((point) => pcs[point]))
  );
}

/** The PCs that all rounds have. */
function always(rounds: readonly (readonly number[])[]): number[] {
  const [first, ...rest] = rounds.map((pcs) => new Set(pcs));
  return [...first].filter((pc) => rest.every((pcs) => pcs.has(pc))).sort((a, b) => a - b);
}

for (const [path, functions] of Object.entries(PATHS)) {
  test(
    `${path}: a kernel worker's functions are in the record with the handle, and in none without`,
    SLOW,
    () => {
      const without = ran(path, undefined);
      assert.deepEqual(functions.filter((name) => without.functions().includes(name)), []);
      assert.throws(() => without.functions({ origin: "behalf" }), TypeError);
      // The second shows that the end of a test leaves the handle alone.
      for (let round = 0; round < 2; round++) {
        const cov = ran(path, ["common"]);
        const behalf = cov.functions({ origin: "behalf" });
        for (const name of functions) assert.ok(behalf.includes(name), `${name}: ${behalf.join()}`);
        const own = cov.functions({ origin: "own" });
        assert.deepEqual(functions.filter((name) => own.includes(name)), []);
        assert.ok(own.length > 100, `${own.length} functions of its own`);
        assert.ok(cov.functions().includes(functions[0]), "behalf counts as the test's");
      }
    },
  );

  test(`${path}: a C program after the kernel's document gives the same PCs`, SLOW, () => {
    const output = execFileSync(program, ["pcs", path, `${ROUNDS}`], { encoding: "utf8" });
    const inC = output.trimEnd().split("\n").map((line) =>
      line.trim().split(" ").map((text) => parseAddress(text)!)
    );
    assert.equal(inC.length, ROUNDS);
    const inHook = Array.from({ length: ROUNDS }, () => remotePcs(ran(path, ["common"])));
    const expected = always(inC);
    assert.ok(expected.length > 10, `${expected.length} PCs in C`);
    assert.deepEqual(always(inHook), expected);
  });
}
