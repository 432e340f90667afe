import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileStates } from "../../_support/file_states.ts";
import { inGuest } from "../../_support/guest_run.ts";

/** A folder that is to stay as it is, and one that a guest may write to. */
async function inFolders(body: (victim: string, writable: string) => Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-writable-")));
  try {
    const [victim, writable] = ["victim", "writable"].map((name) => join(folder, name));
    [victim!, writable!].forEach((path) => mkdirSync(path));
    writeFileSync(join(victim!, "doc.txt"), "precious\n", { mode: 0o640 });
    writeFileSync(join(victim!, "old.txt"), "precious\n");
    await body(victim!, writable!);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function appears(path: string): Promise<void> {
  for (let i = 0; i < 600 && !existsSync(path); i++) await setTimeout(50);
}

/** Everything that a guest can do to the folder that it is in, `h` being one of its own files. */
const CHANGES = `
  echo x >doc.txt; echo x >new.txt; mkdir dir; rm -f doc.txt; chmod 777 doc.txt; touch -d 2001-01-01 doc.txt
  chown 1:1 doc.txt; truncate -s 0 old.txt; mv old.txt gone.txt; ln -s a link; ln ../h hard; mkfifo pipe; rmdir sub`;

test("a folder that becomes a symbolic link while a guest is in it leads nowhere", async () => {
  await inFolders(async (victim, writable) => {
    mkdirSync(join(victim, "sub"));
    mkdirSync(join(writable, "d"));
    writeFileSync(join(writable, "h"), "");
    const before = fileStates(victim);
    const script = `cd ${writable}/d && touch ../ready && while [ ! -e ../go ]; do sleep 0.1; done
      ${CHANGES}
      mv ../h moved; ln doc.txt ../stolen; mv doc.txt ../stolen; echo tried`;
    const run = inGuest(script, { write: [writable] });
    await appears(join(writable, "ready"));
    // As a second guest could that may write to the folder around it.
    renameSync(join(writable, "d"), join(writable, "old"));
    symlinkSync(victim, join(writable, "d"));
    writeFileSync(join(writable, "go"), "");
    const { stdout, stderr } = await run;
    assert.equal(stdout, "tried\n", stderr);
    assert.deepEqual(fileStates(victim), before);
    assert.match(stderr, /Too many levels of symbolic links/);
    assert.deepEqual(readdirSync(writable).sort(), ["d", "go", "h", "old", "ready"]);
  });
});

test("a file that becomes a symbolic link while a guest has seen it leads nowhere", async () => {
  await inFolders(async (victim, writable) => {
    for (const name of ["a", "b", "c", "d"]) writeFileSync(join(writable, name), "mine\n");
    const before = fileStates(victim);
    // What a bind mount holds is not looked up again: the second guest changes what the name stands for.
    const first = inGuest(
      `cd ${writable}; for name in a b c d; do touch /tmp/$name; mount --bind $name /tmp/$name; done
       touch ready; while [ ! -e go ]; do sleep 0.1; done
       chmod 777 /tmp/a; chown 1:1 /tmp/b; truncate -s 0 /tmp/c; touch -d 2001-01-01 /tmp/d; echo x >>/tmp/d; echo tried`,
      { write: [writable] },
    );
    await appears(join(writable, "ready"));
    const second = await inGuest(
      `cd ${writable}; for name in a b c d; do ln -sf ${victim}/doc.txt $name; done; touch go; ls -l`,
      { write: [writable] },
    );
    assert.match(second.stdout, /a -> .*doc\.txt/);
    assert.match((await first).stdout, /tried/);
    assert.deepEqual(fileStates(victim), before);
  });
});

test("a writable folder inside another is mounted once, and both are written to", async () => {
  await inFolders(async (_victim, writable) => {
    const inner = join(writable, "inner");
    mkdirSync(inner);
    mkdirSync(join(writable, "..", "writable-beside"));
    const beside = join(writable, "..", "writable-beside");
    const { stdout } = await inGuest(
      `echo 1 >${writable}/a; echo 2 >${inner}/b; mv ${writable}/a ${inner}/a; echo 3 >${beside}/c; grep -c hostfs /proc/mounts`,
      { write: [inner, writable, `${writable}/`, beside] },
    );
    assert.equal(stdout, "2\n");
    assert.deepEqual(readdirSync(inner).sort(), ["a", "b"]);
    assert.equal(readFileSync(join(beside, "c"), "utf8"), "3\n");
  });
});

test("programs find in a writable folder what they find in any other", async () => {
  await inFolders(async (_victim, writable) => {
    const { stdout, stderr } = await inGuest(
      `cd ${writable} && umask 022 && mkdir -p d/e && echo text >d/f && ln d/f d/hard && ln -s f d/soft && mkfifo d/pipe &&
       chmod 2775 d/e && truncate -s 3 d/f && chmod 600 d/f && touch -d @1000000000 d/f && mv d/f e && mv e d/e/ &&
       stat -c '%n %a %h %s %Y' d/e/e && stat -c '%n %a %F' d/e d/soft d/pipe && cat d/hard && echo &&
       cp -a d copy && rm -r d && mv copy x && mkdir y && mv y x/ && find x | sort`,
      { write: [writable], env: { ...process.env, LC_ALL: "C" } },
    );
    assert.equal(stderr, "");
    assert.deepEqual(stdout.trim().split("\n"), [
      "d/e/e 600 2 3 1000000000",
      "d/e 2775 directory",
      "d/soft 777 symbolic link",
      "d/pipe 644 fifo",
      "tex",
      ...["x", "x/e", "x/e/e", "x/hard", "x/pipe", "x/soft", "x/y"],
    ]);
  });
});

test("a writable folder that is reached by a symbolic link is refused: a guest may have put it there", async () => {
  await inFolders(async (victim, writable) => {
    symlinkSync(victim, join(writable, "link"));
    await assert.rejects(
      inGuest(["true"], { write: [join(writable, "link")] }),
      {
        name: "TypeError",
        message: /link is a symbolic link, which a test may have left: remove it/,
      },
    );
  });
});
