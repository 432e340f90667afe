/** Each feature of the network that src/build/recipe/config promises, used as its users do: packets go through it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inGuest } from "../../_support/guest_run.ts";

/** Two hosts, the second in a network namespace `peer`, on one cable: 10.0.0.1 on `near` and 10.0.0.2 on `far`. */
const TWO_HOSTS = `
  ip netns add peer
  ip link add near type veth peer name far netns peer
  ip addr add 10.0.0.1/24 dev near; ip link set near up; ip link set lo up
  ip -n peer addr add 10.0.0.2/24 dev far; ip -n peer link set far up; ip -n peer link set lo up`;

/** `ping HOST [SECONDS]`: whether it answers; `fails COMMAND`: that it does. */
const FUNCTIONS = `
  ping() { busybox ping -c 1 -w "\${2:-20}" -W "\${2:-20}" "$1" >/dev/null; }
  fails() { if "$@"; then echo "$* should fail" >&2; exit 9; fi; }`;

async function guestScript(script: string): Promise<string> {
  const run = await inGuest([
    ...["bash", "-c", `set -e\nexport PATH=$PATH:/usr/sbin:/sbin\n${FUNCTIONS}\n${script}`],
  ]);
  assert.equal(run.exitStatus, 0, `${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

test("netem loses what it is told to lose, and delays, duplicates and reorders", async () => {
  const text = await guestScript(`
    ping 127.0.0.1
    tc qdisc add dev lo root netem loss 100%
    fails ping 127.0.0.1 1
    tc qdisc change dev lo root netem delay 1ms 1ms distribution normal duplicate 5% reorder 5% loss 0%
    ping 127.0.0.1
    tc qdisc show dev lo root`);
  assert.match(text, /^qdisc netem .*delay 1ms/);
});

test("htb sorts packets into classes by u32, fw and flower filters, with tbf, prio and fq_codel below", async () => {
  const text = await guestScript(`
    tc qdisc add dev lo root handle 1: htb default 30
    for class in 10 20 30 40; do tc class add dev lo parent 1: classid 1:$class htb rate 1mbit; done
    tc qdisc add dev lo parent 1:10 tbf rate 1mbit burst 10kb latency 50ms
    tc qdisc add dev lo parent 1:20 prio
    tc qdisc add dev lo parent 1:30 fq_codel
    tc filter add dev lo parent 1: protocol ip prio 1 u32 match ip dport 1001 0xffff flowid 1:10
    tc filter add dev lo parent 1: protocol ip prio 2 flower ip_proto udp dst_port 1002 classid 1:20
    tc filter add dev lo parent 1: protocol ip prio 3 handle 4 fw classid 1:40
    iptables -t mangle -A OUTPUT -p udp --dport 1004 -j MARK --set-mark 4
    for port in 1001 1002 1003 1004; do echo x >/dev/udp/127.0.0.1/$port; done
    for class in 10 20 30 40; do tc -s class show dev lo classid 1:$class | grep -o 'Sent [0-9]* bytes'; done`);
  const sent = [...text.matchAll(/Sent (\d+) bytes/g)].map(([, bytes]) => Number(bytes));
  assert.equal(sent.length, 4);
  assert.ok(sent.every((bytes) => bytes > 0), text);
});

test("ingress redirects to ifb, clsact drops, and policing and bpf classifiers are there", async () => {
  await guestScript(`
    ${TWO_HOSTS}
    ip link add ifb9 type ifb; ip link set ifb9 up
    tc qdisc add dev near ingress
    tc filter add dev near parent ffff: matchall action mirred egress redirect dev ifb9
    ping 10.0.0.2
    tc qdisc add dev ifb9 root netem loss 100%
    fails ping 10.0.0.2 1
    tc qdisc del dev near ingress
    tc qdisc add dev near clsact
    tc filter add dev near egress protocol ip flower ip_proto icmp action drop
    fails ping 10.0.0.2 1
    tc filter del dev near egress
    tc filter add dev near ingress matchall action police rate 1mbit burst 10k conform-exceed drop
    tc filter add dev near egress bpf bytecode '1,6 0 0 0,' flowid 1:1
    ping 10.0.0.2`);
});

/** Input without an end: a client whose input ends says so at once, and the other side may then leave before it has sent. */
const HELD_INPUT = "mkfifo /tmp/held; exec 9<>/tmp/held";

test("nft redirects, translates both addresses, masquerades, limits, logs and rejects", async () => {
  await guestScript(`
    ${TWO_HOSTS}
    nft -f - <<'END'
      table inet t {
        chain out { type nat hook output priority -100;
          ip daddr 10.9.9.9 tcp dport 80 dnat ip to 10.0.0.2:8080
          ip daddr 127.0.0.1 tcp dport 81 redirect to :82
        }
        chain post { type nat hook postrouting priority 100;
          ip saddr 10.5.5.5 masquerade
          ip saddr 10.6.6.6 snat ip to 10.0.0.1
        }
        chain filter { type filter hook output priority 0;
          tcp dport 83 reject with tcp reset
          ct state new limit rate 1000/second log prefix "new " counter accept
        }
      }
      table netdev n {
        chain in { type filter hook ingress device near priority 0; }
      }
END
    ip addr add 10.5.5.5/32 dev lo; ip addr add 10.6.6.6/32 dev lo; ip route add 10.9.9.9 via 10.0.0.2
    serve() { ip netns exec peer sh -c "echo seen | busybox nc -l -p $1 >/dev/null" & }
    ${HELD_INPUT}
    connect() { for i in 1 2 3 4 5 6 7 8 9 10; do busybox nc -w 3 "$@" <&9 && return; sleep 0.1; done; return 1; }
    serve 8080; test "$(connect 10.9.9.9 80)" = seen
    echo local | busybox nc -l -p 82 >/dev/null & test "$(connect 127.0.0.1 81)" = local
    for from in 10.5.5.5 10.6.6.6; do busybox ping -c 1 -w 20 -I $from 10.0.0.2 >/dev/null; done
    fails busybox nc -w 3 10.0.0.2 83 </dev/null`);
});

test("iptables and ip6tables load rules with the matches and targets that scripts use", async () => {
  const text = await guestScript(`
    ${TWO_HOSTS}
    for tables in iptables ip6tables; do
      $tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
      $tables -A INPUT -m state --state INVALID -j DROP
      $tables -A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment web -j ACCEPT
      $tables -A INPUT -m addrtype --dst-type LOCAL -m limit --limit 5/min -j LOG --log-prefix "in: "
      $tables -A INPUT -p udp --dport 9 -j REJECT
      $tables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
      $tables -t mangle -A OUTPUT -m mark --mark 7 -j MARK --set-mark 8
      $tables -t nat -A POSTROUTING -o near -j MASQUERADE
      $tables -t nat -A OUTPUT -p tcp --dport 90 -j REDIRECT --to-ports 91
    done
    iptables -t nat -A OUTPUT -d 10.9.9.9 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080
    iptables -t nat -A POSTROUTING -s 10.6.6.6 -j SNAT --to-source 10.0.0.1
    ip route add 10.9.9.9 via 10.0.0.2
    ip netns exec peer sh -c "echo seen | busybox nc -l -p 8080 >/dev/null" &
    ${HELD_INPUT}
    for i in 1 2 3 4 5 6 7 8 9 10; do busybox nc -w 3 10.9.9.9 80 <&9 && break; sleep 0.1; done
    iptables -t nat -S | grep -c REDIRECT`);
  assert.equal(text, "seen\n1\n");
});

const DEVICES: Record<string, string> = {
  vxlan: `
    ip link add tun type vxlan id 9 local 10.0.0.1 remote 10.0.0.2 dstport 4789
    ip -n peer link add tun type vxlan id 9 local 10.0.0.2 remote 10.0.0.1 dstport 4789`,
  gre: `
    ip link add tun type gre local 10.0.0.1 remote 10.0.0.2
    ip -n peer link add tun type gre local 10.0.0.2 remote 10.0.0.1`,
  gretap: `
    ip link add tun type gretap local 10.0.0.1 remote 10.0.0.2
    ip -n peer link add tun type gretap local 10.0.0.2 remote 10.0.0.1`,
  ip6gre: `
    ip addr add fd00::1/64 dev near nodad; ip -n peer addr add fd00::2/64 dev far nodad
    ip link add tun type ip6gre local fd00::1 remote fd00::2
    ip -n peer link add tun type ip6gre local fd00::2 remote fd00::1`,
  bond: `
    ip link add tun type bond mode active-backup miimon 100
    ip link add near2 type veth peer name far2 netns peer
    ip link set near2 master tun; ip -n peer link set far2 name tun`,
  macvlan: `
    ip link add tun link near type macvlan mode bridge
    ip -n peer link add tun link far type macvlan mode bridge`,
  macvtap: `
    ip link add tap9 link near type macvtap; test -e /sys/class/net/tap9/macvtap
    ip link add tun link near type macvlan; ip -n peer link add tun link far type macvlan`,
  ipvlan: `
    ip link add tun link near type ipvlan mode l2
    ip -n peer link add tun link far type ipvlan mode l2`,
  wireguard: `
    ip link add tun type wireguard; ip -n peer link add tun type wireguard
    umask 077; cd /dev/shm; wg genkey >k1; wg genkey >k2
    wg set tun private-key k1 listen-port 1 peer $(wg pubkey <k2) allowed-ips 10.1.0.2 endpoint 10.0.0.2:2
    ip netns exec peer wg set tun private-key k2 listen-port 2 peer $(wg pubkey <k1) allowed-ips 10.1.0.1`,
};

for (const [kind, script] of Object.entries(DEVICES)) {
  test(`a packet goes through ${kind}`, async () => {
    await guestScript(`
      ${TWO_HOSTS}
      ${script}
      ip addr add 10.1.0.1/24 dev tun; ip link set tun up
      ip -n peer addr add 10.1.0.2/24 dev tun; ip -n peer link set tun up
      ping 10.1.0.2 20`);
  });
}
