import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fileStates } from "../../_support/file_states.ts";
import { isRunning, startKernelcov } from "../../_support/guest_run.ts";
import { giveTo, ordinaryUser } from "../../_support/ordinary_user.ts";

const ESCAPE = fileURLToPath(new URL("../../data/escape.c", import.meta.url));

/** What a way out of the guest does there, and what it sees. */
interface Way {
  /** The test's name, which docs/security.md names too. */
  readonly name: string;
  /** `$V` is a folder of the host's with doc.txt in it, `$W` the writable one, `$E` tests/data/escape.c, `$P` a host's process. */
  readonly script: string;
  /** That it was tried, and what came of it in the guest. */
  readonly sees: RegExp;
}

const REFUSED = /(permission denied|Operation not permitted)[^]*status [1-9]/i;

/** What shells and system calls can try at once, in one guest. */
const WAYS: readonly Way[] = [
  {
    name: "a new mount of a host's folder",
    script: "mount -t hostfs none /mnt -o $V && echo x >/mnt/doc.txt",
    sees: REFUSED,
  },
  {
    name: "a read-only mount of a host's folder",
    script: "mount -t hostfs none /mnt -o $V -r",
    sees: REFUSED,
  },
  { name: "a new mount by fsopen", script: "$E fsopen hostfs $V", sees: /fsopen: EPERM/ },
  {
    name: "a remount of the writable folder",
    script: "mount -o remount,rw $W",
    sees: REFUSED,
  },
  { name: "a remount by fspick", script: "$E fspick $W", sees: /fspick: EPERM/ },
  {
    name: "the seal is broken",
    script:
      "echo 0 >/sys/module/hostfs/parameters/sealed; cat /sys/module/hostfs/parameters/sealed",
    sees: /error[^]*\nY\n/,
  },
  {
    name: "the old root by way of /proc/1/exe",
    script: "$E fspick /proc/1/exe; $E clone /proc/1/exe /mnt; echo x >/proc/1/exe",
    sees: /fspick: EINVAL[^]*open_tree: EINVAL/,
  },
  {
    name: "/proc/1/root and /proc/1/cwd",
    script: "echo x >/proc/1/root$V/doc.txt; cat /proc/1/root$V/doc.txt",
    sees: /^x\n/m,
  },
  {
    name: "a kernel thread's root",
    script: "echo x >/proc/2/root$V/doc.txt; cat /proc/2/root$V/doc.txt",
    sees: /^x\n/m,
  },
  {
    name: "a mount namespace",
    script: "unshare -m sh -c 'mount -t hostfs none /mnt -o $V && echo x >/mnt/doc.txt'",
    sees: REFUSED,
  },
  {
    name: "a user namespace",
    script: "unshare -Urm sh -c 'mount -t hostfs none /mnt -o $V && echo x >/mnt/doc.txt'",
    sees: REFUSED,
  },
  {
    name: "a file by its handle",
    script: "$E handle $V/doc.txt; $E handle /proc/1/exe",
    sees: /name_to_handle_at: EOPNOTSUPP/,
  },
  {
    name: "another overlay above a host's folder",
    script: `mkdir /tmp/m && mount -t overlay o /tmp/m -o lowerdir=/etc,upperdir=$V,workdir=$V/../w
             echo x >/tmp/m/doc.txt; cat /tmp/m/doc.txt`,
    sees: /^x\n/m,
  },
  {
    name: "a bind mount into the writable folder",
    script: "mkdir $W/bind && mount --bind $V $W/bind && echo x >$W/bind/doc.txt && cat $V/doc.txt",
    sees: /^x\n[^]*status 0/m,
  },
  {
    name: "a clone of the writable mount above a host's folder",
    script: "$E clone $W $V; echo x >$V/doc.txt; cat $W/doc.txt",
    sees: /move_mount: ok\nx\n/,
  },
  {
    name: "a symbolic link in the writable folder",
    script:
      "ln -s $V/doc.txt $W/link; echo x >$W/link; chmod 777 $W/link; touch -d 2001-01-01 $W/link; chown 1:1 $W/link; cat $V/doc.txt",
    sees: /^x\n[^]*status 0/m,
  },
  {
    name: "the times and owner of a symbolic link",
    script:
      "ln -s $V/doc.txt $W/own; touch -h -d 2001-01-01 $W/own; chown -h 1:1 $W/own; echo done",
    sees: /done/,
  },
  {
    name: "a symbolic link that lay in the writable folder before",
    script: "echo x >$W/earlier/doc.txt; rm $W/earlier/doc.txt; mkdir $W/earlier/dir; ls $V",
    sees: /^dir\n[^]*status 0/m,
  },
  {
    name: "a hard link into the writable folder",
    script: "ln $V/doc.txt $W/hard",
    sees: /cross-device[^]*status 1/i,
  },
  {
    name: "a rename out of the writable folder",
    script: "echo x >$W/moved; mv $W/moved $V/moved; mv $V/doc.txt $W/taken; ls $V",
    sees: /^moved\n[^]*status 0/m,
  },
  {
    name: "a device node in the writable folder",
    script: "mknod $W/zero c 1 5; mknod $W/disk b 8 0; mknod $W/none c 0 0",
    sees: /(Operation not permitted[^]*){3}status 1/,
  },
  {
    name: "a device node elsewhere",
    script:
      "for n in 'b 8 0' 'b 254 0' 'b 259 0' 'c 1 1' 'b 98 0'; do rm -f /dev/x; mknod /dev/x $n; dd if=/dev/zero of=/dev/x count=1; done",
    sees: /(No such device or address[^]*){5}status 1/,
  },
  {
    name: "a set-user-ID file in the writable folder",
    script:
      "cp /bin/true $W/suid; chmod u+s $W/suid; chmod 2755 $W/suid; install -m 4755 /bin/true $W/su2",
    sees: /(Operation not permitted[^]*){3}status 1/,
  },
  {
    name: "sysctl",
    script:
      "echo 1 >/proc/sys/vm/swappiness; hostname elsewhere; cat /proc/sys/vm/swappiness; hostname",
    sees: /^1\nelsewhere\n/m,
  },
  {
    name: "the host's /proc and /sys below the guest's",
    script:
      `unshare -m sh -c 'umount -l /proc; umount -lR /sys; echo 1 >/proc/sys/vm/swappiness; cat /proc/sys/vm/swappiness
       echo -1000 >/proc/$P/oom_score_adj; echo x >/proc/1/root$V/doc.txt; echo x >/proc/self/root$V/doc.txt; ls /sys'`,
    sees: /^1\n[^]*(denied|cannot create)[^]*kernel\n/m,
  },
  {
    name: "/dev/mem, ubd and the management console",
    script: "ls /dev/mem /dev/kmem /dev/port /dev/ubda /dev/ubd0 /proc/mconsole",
    sees: /(No such file[^]*){6}status 2/,
  },
  {
    name: "a loop device on a host's file",
    script:
      "truncate -s 4096 $V/doc.txt && losetup /dev/loop7 $V/doc.txt && dd if=/dev/zero of=/dev/loop7 count=8",
    sees: /4096 bytes[^]*status 0/,
  },
  {
    name: "a signal to a host's process",
    script: "kill -9 $P",
    sees: /No such process[^]*status 1/i,
  },
  {
    name: "a socket of the host's without a file",
    script: "$E connect $S",
    sees: /connect: ECONNREFUSED/,
  },
  {
    name: "a program that the kernel starts",
    script:
      "echo \"|/bin/sh -c echo%x>$V/core\" >/proc/sys/kernel/core_pattern; ulimit -c unlimited; sh -c 'kill -SEGV $$'; sleep 0.2; cat /proc/sys/kernel/core_pattern",
    sees: /^\|\/bin\/sh/m,
  },
  {
    name: "the programs that start the next guest",
    script: "echo x >$K && cat $K",
    sees: /^x\n[^]*status 0/m,
  },
];

/** What came of a way: what it saw in the guest, and its folder before and after. */
interface Outcome {
  readonly seen: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What came of all ways for one user. */
interface Attack {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** The host's settings and mounts, before and after. */
  readonly settings: readonly [string, string];
  /** Whether the process that was sent a signal still ran. */
  readonly processRuns: boolean;
  /** Connections to the socket without a file. */
  readonly connections: string | undefined;
  /** What was left in the writable folder. */
  readonly left: readonly string[];
}

/** State of the host that no way may change, apart from files. */
function hostSettings(): string {
  const names = ["vm/swappiness", "kernel/core_pattern", "kernel/hostname"];
  return names.map((name) => readFileSync(`/proc/sys/${name}`, "utf8")).join("") +
    readFileSync("/proc/self/mountinfo", "utf8");
}

/** Tries all ways in one guest, as root or as an ordinary user. */
async function attack(asRoot: boolean): Promise<Attack> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-host-")));
  const bystander = spawn("sleep", ["1000"], { stdio: "ignore" });
  try {
    const home = join(folder, "home");
    mkdirSync(home);
    const user = await ordinaryUser(home);
    chmodSync(folder, 0o755);
    const writable = join(folder, "writable");
    const victims = WAYS.map((_, i) => join(folder, `victim${i}`));
    const documents = victims.map((victim) => join(victim, "doc.txt"));
    [writable, ...victims].forEach((path) => mkdirSync(path));
    for (const path of documents) writeFileSync(path, "precious\n", { mode: 0o640 });
    const earlier = WAYS.findIndex(({ script }) => script.includes("$W/earlier"));
    symlinkSync(victims[earlier]!, join(writable, "earlier"));
    if (!asRoot) [writable, ...victims, ...documents].forEach((path) => giveTo(user, path));

    const escape = join(folder, "escape");
    execFileSync("gcc", ["-O1", "-w", "-static", "-o", escape, ESCAPE]);
    const socket = `kernelcov-${process.pid}-${Math.random()}`;
    const script = join(folder, "attack.sh");
    writeFileSync(
      script,
      [
        "export LC_ALL=C",
        `export W=${writable} E=${escape} P=${bystander.pid} S=${socket} K=${user.programs[1]}`,
        ...WAYS.map(({ script }, i) =>
          `echo '== ${i}'; (export V=${victims[i]}\n${script}\n) 2>&1; echo "status $?"`
        ),
      ].join("\n"),
    );
    const before = victims.map(fileStates);
    const settings = hostSettings();
    const run = await startKernelcov(["kernel", "run", "--write", writable, "--", "sh", script], {
      cwd: folder,
      env: asRoot ? {} : user.env,
      // The socket is that of a process of the host's which waits for the guest to end.
      prefix: [escape, "listen", socket, "/usr/bin/env", ...asRoot ? [] : user.prefix],
    }).ended;
    assert.equal(run.status, 0, run.stderr + run.stdout);
    const parts = run.stdout.split(/^== (\d+)\n/m);
    return {
      outcomes: new Map(WAYS.map(({ name }, i) => [name, {
        seen: parts[parts.indexOf(String(i), 1) + 1] ?? "",
        before: before[i]!,
        after: fileStates(victims[i]!),
      }])),
      settings: [settings, hostSettings()],
      processRuns: isRunning(bystander.pid!),
      connections: /^connections: (\d+)$/m.exec(run.stdout)?.[1],
      left: fileStates(writable),
    };
  } finally {
    bystander.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

for (const asRoot of process.getuid?.() === 0 ? [true, false] : [false]) {
  const who = asRoot ? "root's guest" : "an ordinary user's guest";
  let attacked: Promise<Attack> | undefined;
  const attackOnce = (): Promise<Attack> => attacked ??= attack(asRoot);

  for (const { name, sees } of WAYS) {
    test(`${who} changes nothing of the host by ${name}`, async () => {
      const { seen, before, after } = (await attackOnce()).outcomes.get(name)!;
      assert.match(seen, sees);
      assert.deepEqual(after, before);
    });
  }

  test(`${who} leaves the host's settings, mounts, processes and sockets alone`, async () => {
    const { settings, processRuns, connections } = await attackOnce();
    assert.equal(settings[1], settings[0]);
    assert.deepEqual([processRuns, connections], [true, "0"]);
  });

  test(`${who} leaves no device and no set-user-ID file in the writable folder`, async () => {
    const { left } = await attackOnce();
    assert.ok(left.some((state) => state.startsWith("suid 100755 ")), left.join("\n"));
    for (const state of left) assert.match(state, /^\S* (100[0-7]{3}|120777|40[0-7]{3}) /);
  });
}
