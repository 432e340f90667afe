// Two network namespaces, joined by a pair of veth devices, with a firewall of nftables in one of them. Needs root.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { after, before, test } from "node:test";
import { withKernelCoverage } from "kernelcov";
import { shell } from "./programs.ts";

const here = `here-${process.pid}`, there = `there-${process.pid}`;

before(() =>
  shell(`
    ip netns add ${here}; ip netns add ${there}
    ip -n ${here} link add veth0 type veth peer name veth1 netns ${there}
    ip -n ${here} address add 192.0.2.1/24 dev veth0; ip -n ${here} link set veth0 up
    ip -n ${there} address add 192.0.2.2/24 dev veth1; ip -n ${there} link set veth1 up`)
);
after(() => shell(`ip netns del ${here}; ip netns del ${there}`));

/** Whether a packet from one namespace is answered by the other. */
function answers(): boolean {
  const ping = ["netns", "exec", here, "busybox", "ping", "-c", "1", "-W", "1", "192.0.2.2"];
  return spawnSync("ip", ping).status === 0;
}

test(
  "a packet goes from one namespace to the other and back",
  withKernelCoverage((cov) => {
    assert.ok(answers());
    if (!cov.available) return;
    assert.ok(cov.reached("veth_xmit"));
    assert.ok(cov.reached("icmp_echo"));
  }),
);

test(
  "a rule of the firewall drops it",
  withKernelCoverage((cov) => {
    shell(`ip netns exec ${there} nft -f - <<'END'
table ip filter {
  chain input { type filter hook input priority 0; icmp type echo-request counter drop; }
}
END`);
    assert.ok(!answers());
    assert.match(
      shell(`ip netns exec ${there} nft list ruleset`),
      /icmp type echo-request counter packets [1-9]/,
    );
    shell(`ip netns exec ${there} nft flush ruleset`);
    assert.ok(answers());
    if (cov.available) assert.ok(cov.reached("nft_do_chain"));
  }),
);
