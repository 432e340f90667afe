import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { runtimeEnvironment } from "./guest_run.ts";

/** Stand-ins for the programs that a build calls, so that it takes no time; each notes its call in `$LOG`. */
export const PROGRAMS: Record<string, string> = {
  xz: "",
  tar: "touch unpacked",
  patch: "touch patched",
  // Compiles one file, and waits for the file `$GO` if that is set.
  make: `case "$*" in
    *allnoconfig*) cp "$KCONFIG_ALLCONFIG" .config ;;
    *)
      if [ -n "$BROKEN" ]; then
        echo "  CC      fs/pipe.o"
        echo "fs/pipe.c:1:1: warning: something else [-Wfoo]" >&2
        echo "fs/pipe.c:7:3: error: expected ';'" >&2
        echo "make: *** [Makefile:1: vmlinux] Error 2" >&2
        exit 2
      fi
      mkdir -p fs; : >fs/pipe.c; : >fs/pipe.o; : >fs/.pipe.o.cmd
      echo "  CC      fs/pipe.o"
      if [ -n "$GO" ]; then echo waiting >>"$LOG"; until [ -e "$GO" ]; do sleep 0.05; done; fi
      cp /bin/true vmlinux ;;
  esac`,
};

/** A cache of its own and stand-ins for programs on the PATH. */
export interface Workshop {
  readonly folder: string;
  readonly kernels: string;
  readonly env: Record<string, string>;
  readonly calls: () => string[];
}

/** Runs `body` where these programs stand in for the real ones. */
export async function inWorkshop(
  programs: Record<string, string>,
  body: (workshop: Workshop) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-build-"));
  const bin = join(folder, "bin");
  const log = join(folder, "calls");
  mkdirSync(bin);
  writeFileSync(log, "");
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\necho "${name} $*" >>"$LOG"\n${script}\n`,
    );
    chmodSync(join(bin, name), 0o755);
  }
  const kernels = join(folder, "kernelcov/kernels");
  const path = `${bin}${delimiter}${runtimeEnvironment()["PATH"]}`;
  const env = { XDG_CACHE_HOME: folder, PATH: path, LOG: log };
  try {
    await body({ folder, kernels, env, calls: () => readFileSync(log, "utf8").trim().split("\n") });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
