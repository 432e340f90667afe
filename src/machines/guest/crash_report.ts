import type { Address } from "../../base/address.ts";
import { CallFrames } from "../../dwarf/call_frames.ts";
import { FormatError } from "../../errors.ts";
import { ImageSymbolizer } from "../../symbolize/lookup/image_symbolizer.ts";
import { TEST_MARK } from "../../tracer/kernel_log_marks.ts";
import { type TracedCall, tracedCalls } from "./call_trace.ts";
import { namedCalls } from "./named_trace.ts";
import { type KernelEvent, kernelEvents, withoutTime } from "./kernel_log.ts";

/** Messages of the kernel before its panic that a report shows. */
const LAST_MESSAGES = 20;
/** Warnings and the like that are shown in full; a kernel in trouble repeats itself. */
const TOLD_IN_FULL = 3;

/** Functions that report a crash, at the inner end of its call trace. */
const REPORTERS =
  /^(show_stack|dump_stack|dump_stack_lvl|__dump_stack|panic|__warn|warn_slowpath_fmt|switch_threads|__switch_to|context_switch|__schedule|__schedule_loop|schedule)(\.(cold|part|constprop|isra)\b.*)?$/;

/**
 * The problems that a guest's kernel reported, as text: each panic, bug, warning, hung task and lack of memory with the
 * functions, files and lines that led to it. Empty where there were none.
 *
 * @param vmlinux the kernel's image, with debug information
 * @param panicked whether the kernel did end in a panic
 */
export async function crashReport(
  log: string,
  vmlinux: string,
  panicked: boolean,
): Promise<string> {
  const events = kernelEvents(log, panicked);
  if (events.length === 0) return "";
  let text = "";
  let untold = 0;
  let image: ImageSymbolizer | undefined;
  try {
    for (const [index, event] of events.entries()) {
      if (index >= TOLD_IN_FULL && event.kind !== "panic") {
        untold++;
        continue;
      }
      image ??= openImage(vmlinux);
      text += `kernelcov: ${HEADINGS[event.kind]}: ${event.what}\n${await traceText(event, image)}`;
      if (event.kind === "panic") text += lastMessages(log, event);
    }
  } finally {
    image?.[Symbol.dispose]();
  }
  if (untold > 0) {
    text += `kernelcov: The guest's kernel reported ${untold} more problems: --dmesg shows them\n`;
  }
  return text;
}

const HEADINGS: Readonly<Record<KernelEvent["kind"], string>> = {
  panic: "The guest's kernel panicked",
  bug: "The guest's kernel found a bug",
  warning: "The guest's kernel warns",
  "hung task": "The guest's kernel found a hung task",
  "out of memory": "The guest ran out of memory (--memory gives it more)",
};

/** Without an image only the kernel's own messages are left. */
function openImage(vmlinux: string): ImageSymbolizer | undefined {
  try {
    return new ImageSymbolizer(vmlinux);
  } catch (error) {
    if (error instanceof FormatError || (error as { code?: string }).code === "ENOENT") return;
    throw error;
  }
}

/** The event's process and calls, a line for each function, the inlined ones included, innermost first. */
async function traceText(
  { kind, what, lines, test }: KernelEvent,
  image: ImageSymbolizer | undefined,
): Promise<string> {
  const traced = callsOf(lines, image);
  const calls = traced.length > 0 ? traced : faultOf(what);
  let text = processOf(lines) + (test === undefined ? "" : `  test ${JSON.stringify(test)}\n`);
  if (calls.length === 0) return text;
  if (image === undefined) {
    return `${text}  its image cannot be read, so there are no lines: --dmesg shows the trace\n`;
  }
  const rows = await rowsOf(calls, image);
  const told = rows.findIndex(({ outermost }) =>
    kind === "panic" && calls[0].isFault || !REPORTERS.test(outermost)
  );
  const shown = told < 0 ? rows : rows.slice(told);
  const width = Math.max(...shown.flatMap(({ frames }) => frames.map(({ name }) => name.length)));
  for (const { frames } of shown) {
    for (const { name, place } of frames) {
      text += `${`  ${name.padEnd(width)}  ${place}`.trimEnd()}\n`;
    }
  }
  return text;
}

/** The calls of the event's trace, as user-mode Linux prints them or as other kernels do. */
function callsOf(lines: readonly string[], image: ImageSymbolizer | undefined): TracedCall[] {
  const traced = tracedCalls(lines, image === undefined ? undefined : callFramesOf(image));
  if (traced.length > 0 || image === undefined) return traced;
  return namedCalls(lines, image.image.elf.symbols());
}

/** A kernel without CONFIG_DEBUG_BUGVERBOSE prints no trace of its panic, but where it faulted. */
function faultOf(what: string): TracedCall[] {
  const ip = /, ip 0x([0-9a-f]+)$/.exec(what)?.[1];
  return ip === undefined ? [] : [{ address: parseInt(ip, 16), isFault: true, isSure: true }];
}

interface CallRow {
  /** The function that the code is in. */
  readonly outermost: string;
  readonly frames: readonly { readonly name: string; readonly place: string }[];
}

async function rowsOf(
  calls: readonly TracedCall[],
  image: ImageSymbolizer,
): Promise<CallRow[]> {
  // The symbolizer looks up the call before each address. Other calls than those of coverage points may be shorter, so
  // it is given what has the last byte of the call there, or the instruction that faulted.
  const pcs = calls.map(({ address, isFault }): Address =>
    address + image.callLength - (isFault ? 0 : 1)
  );
  const symbolized = await image.symbolize(pcs);
  return calls.map(({ isSure, name }, index) => {
    if (name !== undefined) return { outermost: name, frames: [{ name, place: "" }] };
    const frames = symbolized.frames(index) ?? [];
    return {
      outermost: frames.at(-1)?.symbol ?? "",
      frames: frames.map(({ function: name, symbol, file, line }, depth) => ({
        name: `${isSure ? "" : "? "}${depth + 1 === frames.length ? symbol : name}`,
        place: `${file === "??" ? "" : `${file}:${line}`}${
          depth + 1 < frames.length ? " (inlined)" : ""
        }`,
      })),
    };
  });
}

function callFramesOf({ image: { elf } }: ImageSymbolizer): CallFrames | undefined {
  const section = elf.section(".eh_frame");
  return section === undefined ? undefined : new CallFrames(elf.bytes(section), section.address);
}

/** `  process 23 (sh)`, as the kernel tells it in two forms. */
function processOf(lines: readonly string[]): string {
  for (const line of lines) {
    const match = /\bPID: (?<pid>\d+) Comm: (?<name>.*?) (?:Not tainted|Tainted:)/.exec(line) ??
      /^task:(?<name>.*?) +state:.* pid:(?<pid>\d+)/.exec(line);
    if (match?.groups !== undefined) {
      return `  process ${match.groups["pid"]} (${match.groups["name"]})\n`;
    }
  }
  return "";
}

/** What the kernel said before it panicked; what it said when it booted is of no use later. */
function lastMessages(log: string, panic: KernelEvent): string {
  const lines = log.split("\n").slice(0, panic.from);
  const init = lines.findLastIndex((line) => / as init process$/.test(line.trimEnd()));
  const environment = lines.findIndex((line, at) =>
    at > init && / {2}with environment:$/.test(line)
  );
  const before = lines.filter((line, at) =>
    withoutTime(line) !== "" && !withoutTime(line).startsWith(TEST_MARK) &&
    (init < 0 || (at > Math.max(init, environment) && !/^ {4}\S/.test(withoutTime(line))))
  );
  const last = before.slice(-LAST_MESSAGES).map((line) => `  ${line.trimEnd()}\n`);
  return last.length === 0 ? "" : `Its last messages before that:\n${last.join("")}`;
}
