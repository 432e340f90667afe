import { listFolder, tryReadText } from "../../sys/files.ts";
import { type ProcessStat, readProcessStat } from "../../sys/process_stat.ts";

/**
 * A processor to pin a guest to: of those that this process may use, one on which the fewest programs run now;
 * `undefined` where there is no choice.
 *
 * Kernel and processes of a guest are processes of the host that run one at a time. Where each switch wakes up another
 * processor, which takes longer on an idle machine, a system call of the guest takes four times as long.
 *
 * @param proc The folder of `proc(5)`.
 */
export function quietCpu(proc = "/proc"): number | undefined {
  const allowed = allowedCpus(tryReadText(`${proc}/self/status`) ?? "");
  if (allowed.length < 2) return undefined;
  const running = new Map(allowed.map((cpu) => [cpu, 0]));
  for (const name of listFolder(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const cpu = runsOn(readProcessStat(`${proc}/${name}/stat`));
    const count = cpu === undefined ? undefined : running.get(cpu);
    if (cpu !== undefined && count !== undefined) running.set(cpu, count + 1);
  }
  const fewest = Math.min(...running.values());
  const quiet = allowed.filter((cpu) => running.get(cpu) === fewest);
  // Guests that start at once should not all take the first.
  return quiet[Math.floor(Math.random() * quiet.length)];
}

/** `Cpus_allowed_list:	0-2,5`. */
function allowedCpus(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? "";
  return list.split(",").filter((part) => part !== "").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The processor that a process runs on; `undefined` where it sleeps, or has ended. */
function runsOn(stat: ProcessStat | undefined): number | undefined {
  const cpu = stat?.field(39) ?? "";
  return stat?.field(3) === "R" && cpu !== "" ? Number(cpu) : undefined;
}
