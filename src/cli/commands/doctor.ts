import process from "node:process";
import { FormatError, KcovUnavailableError } from "../../errors.ts";
import {
  collectorFinding,
  kcovAvailability,
  type KcovFinding,
} from "../../kernel/kcov_availability.ts";
import { paint } from "../../report/text_style.ts";
import { findKernelImage } from "../../kernel/image/find_kernel_image.ts";
import { runtimeName, runtimeVersion } from "../../sys/runtime.ts";
import { findEmbeddedKernel } from "../../build/build_kernel.ts";
import { estimateBuild } from "../../build/build_progress.ts";
import { installCommand, missingPackages, neededPackages } from "../../build/debian_packages.ts";
import { hostFacts } from "../../machines/uml/guest_failure.ts";
import { guestProgram } from "../../machines/guest/guest_programs.ts";
import { hostProtection } from "../../machines/guest/host_protection.ts";
import type { KernelFolder } from "../../build/kernel_folder.ts";
import {
  chooseMemoryFolder,
  DEFAULT_MEMORY,
  memoryFolders,
  parseMemorySize,
} from "../../machines/guest/memory_folder.ts";
import { builtKernel } from "../../machines/uml/uml_kernel.ts";
import { chooseAccelerator, KVM_DEVICE } from "../../machines/vm/accelerator.ts";
import { findProgram } from "../../machines/vm/find_program.ts";
import { KERNEL_MACHINES } from "../../machines/vm/kernel_machines.ts";
import { cacheFolderPath } from "../../sys/cache_folder.ts";
import { outputStyle } from "../question.ts";
import { moduleFinding } from "./module_finding.ts";
import { type Command, EXIT_NO_COVERAGE, parseCommandLine, UsageError } from "../command_line.ts";

/** What the doctor found, in the form that `--json` prints. */
interface Diagnosis {
  readonly runtime: string;
  /** What would cover tests now: the running kernel, the embedded one (built or not), or nothing. */
  readonly verdict: "host" | "embedded" | "none";
  /** The running kernel. */
  readonly host: readonly KcovFinding[];
  /** The embedded kernel. */
  readonly embedded: readonly KcovFinding[];
  /** Virtual machines, for kernels of the user's. */
  readonly virtualMachines: readonly KcovFinding[];
  /** What is the matter, and what to do. */
  readonly advice: string;
}

/**
 * `kernelcov doctor [--json]`: what works here, what does not, and what to change. Exit status 0 where tests can be
 * covered, by the running kernel or by the embedded one, else 3.
 */
export const doctorCommand: Command = {
  help: "kernelcov doctor [--json]\n    Says what works here, and what to change.\n",
  run,
};

function run(args: string[]): number {
  const { values, operands, command } = parseCommandLine(args, {
    json: { type: "boolean" },
  });
  const extra = [...operands, ...command][0];
  if (extra !== undefined) throw new UsageError(`Unexpected "${extra}": doctor takes no operand`);
  const diagnosis = diagnose();
  process.stdout.write(values.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : text(diagnosis));
  return diagnosis.verdict === "none" ? EXIT_NO_COVERAGE : 0;
}

function diagnose(): Diagnosis {
  const runtime = `${runtimeName()} ${runtimeVersion()}`;
  const { available, message, findings } = kcovAvailability();
  const image = imageFinding();
  const embedded = embeddedFindings();
  const modules = available ? moduleFinding() : undefined;
  const host = available
    ? [...findings, image, ...modules === undefined ? [] : [modules]]
    : findings;
  const rest = { runtime, host, embedded, virtualMachines: vmFindings() };
  if (available) {
    const advice = image.ok
      ? "Tests are covered by the running kernel: run them as usual, or with kernelcov test -- COMMAND"
      : `The running kernel records coverage, but its lines cannot be named: ${image.change}`;
    return { ...rest, verdict: "host", advice };
  }
  const what = message.split(":")[0];
  const blocked = embedded.find(({ ok }) => ok === false);
  if (blocked !== undefined) {
    const advice = `${what}, and the embedded kernel cannot be used: ${blocked.change}`;
    return { ...rest, verdict: "none", advice };
  }
  const built = findEmbeddedKernel() !== undefined;
  const first = built ? "" : ` (the first time, its build takes ${estimateBuild()})`;
  return {
    ...rest,
    verdict: "embedded",
    advice: `${what}. Run your tests in the embedded kernel${first}: kernelcov test -- COMMAND`,
  };
}

/** What a virtual machine would run on: nobody needs one who has no kernel for it. */
function vmFindings(): KcovFinding[] {
  const machine = process.arch === "arm64" ? KERNEL_MACHINES.arm64 : KERNEL_MACHINES.x86_64;
  const qemu = findProgram(machine.qemu);
  if (qemu === undefined) {
    const change = installCommand([machine.package]);
    return [{ subject: "QEMU", ok: undefined, found: `there is no ${machine.qemu}`, change }];
  }
  const { name } = chooseAccelerator(machine, qemu, cacheFolderPath());
  return [
    { subject: "QEMU", ok: true, found: qemu },
    name === "kvm" ? { subject: "KVM", ok: true, found: `works with ${KVM_DEVICE}` } : {
      subject: "KVM",
      ok: undefined,
      found: `cannot be used: machines are emulated, which is slow`,
      change: `use a host with ${KVM_DEVICE}, and a user who may read and write it`,
    },
  ];
}

/** The running kernel's image. */
function imageFinding(): KcovFinding {
  const subject = "kernel image";
  try {
    const { path, buildId } = findKernelImage();
    return { subject, ok: true, found: `${path}, build id ${buildId === "" ? "none" : buildId}` };
  } catch (error) {
    if (!(error instanceof KcovUnavailableError || error instanceof FormatError)) throw error;
    return {
      subject,
      ok: false,
      found: error.message,
      change: "set KERNELCOV_VMLINUX to its vmlinux",
    };
  }
}

/** What the embedded kernel needs of this machine. */
function embeddedFindings(): KcovFinding[] {
  const findings: KcovFinding[] = [];
  const platform = `${process.platform} on ${process.arch}`;
  if (platform !== "linux on x64") {
    const change = "use x86-64 Linux, or a kernel with CONFIG_KCOV=y";
    return [{ subject: "platform", ok: false, found: platform, change }];
  }
  const folder = findEmbeddedKernel();
  if (folder !== undefined) {
    findings.push(
      { subject: "embedded kernel", ok: true, found: folder.vmlinux },
      collectorFinding(builtKernel(folder).collectors),
    );
  } else {
    const missing = missingPackages(neededPackages());
    const isRoot = process.getuid?.() === 0;
    findings.push({
      subject: "build packages",
      ok: missing.length === 0 ? true : isRoot ? undefined : false,
      found: missing.length === 0 ? "all installed" : `missing: ${missing.join(", ")}`,
      change: missing.length === 0
        ? undefined
        : isRoot
        ? "the build installs them"
        : installCommand(missing),
    });
    findings.push({
      subject: "embedded kernel",
      ok: undefined,
      found: `not built yet: ${estimateBuild()}`,
      change: "kernelcov kernel build, or just use it",
    });
  }
  const { ptraceScope, maxMapCount } = hostFacts();
  findings.push(
    ptraceScope !== undefined && ptraceScope > 2
      ? {
        subject: "ptrace",
        ok: false,
        found: `forbidden: kernel.yama.ptrace_scope is ${ptraceScope}`,
        change: "set kernel.yama.ptrace_scope to 2 or less and reboot",
      }
      : { subject: "ptrace", ok: true, found: "not forbidden by Yama" },
  );
  findings.push(memoryFinding());
  if (folder !== undefined) findings.push(confinementFinding(folder));
  if (maxMapCount !== undefined) {
    const enough = maxMapCount >= 65_530;
    findings.push({
      subject: "vm.max_map_count",
      ok: enough ? true : undefined,
      found:
        `${maxMapCount}: a guest's process whose memory is in more pieces is mapped anew as it uses them`,
      change: enough ? undefined : "sysctl -w vm.max_map_count=65530 as root",
    });
  }
  return findings;
}

/** What keeps a guest from the host's files besides its own kernel: a host that has nothing is still usable. */
function confinementFinding(folder: KernelFolder): KcovFinding {
  const subject = "guest confinement";
  try {
    const protection = hostProtection(guestProgram(folder.path, "launcher"));
    const { landlock = 0, mounts = false, capabilities = false } = protection ?? {};
    const layers = [
      ...landlock > 0 ? [`Landlock ${landlock}`] : [],
      ...mounts ? ["read-only mounts"] : [],
      ...capabilities ? ["few capabilities"] : [],
    ];
    if (landlock > 0) return { subject, ok: true, found: layers.join(", ") };
    return {
      subject,
      ok: undefined,
      found: `${["no Landlock", ...layers].join(", ")}: ${
        mounts ? "devices are" : "files of the host are"
      } kept from the guest by its own kernel alone`,
      change: "use Linux 5.19 or later with landlock in its lsm= list",
    };
  } catch (error) {
    if (!(error instanceof KcovUnavailableError)) throw error;
    return { subject, ok: undefined, found: error.message.split("\n")[0], change: "install gcc" };
  }
}

function memoryFinding(): KcovFinding {
  const subject = "guest memory";
  try {
    return {
      subject,
      ok: true,
      found: chooseMemoryFolder(memoryFolders(), parseMemorySize(DEFAULT_MEMORY)),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const change =
      "use a smaller --memory, or set TMPDIR to a folder with room that allows execution";
    return { subject, ok: false, found: error.message, change };
  }
}

function text({ runtime, host, embedded, virtualMachines, advice }: Diagnosis): string {
  const style = outputStyle();
  const width = Math.max(
    ...[...host, ...embedded, ...virtualMachines].map(({ subject }) => subject.length),
  );
  function line({ subject, ok, found, change }: KcovFinding): string {
    const mark = ok === true
      ? paint("ok", "green", style)
      : ok === false
      ? paint("no", "red", style)
      : paint("? ", "yellow", style);
    const fix = ok !== true && change !== undefined
      ? `\n      ${" ".repeat(width)}  -> ${change}`
      : "";
    return `  ${mark}  ${subject.padEnd(width)}  ${found}${fix}`;
  }
  return [
    `Runtime: ${runtime}`,
    "",
    paint("The running kernel", "bold", style),
    ...host.map(line),
    "",
    paint("The embedded kernel", "bold", style),
    ...embedded.map(line),
    "",
    paint("Virtual machines", "bold", style),
    ...virtualMachines.map(line),
    "",
    advice,
    "",
  ].join("\n");
}
