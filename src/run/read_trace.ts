import { TraceCode } from "../coverage/trace/trace_code.ts";
import { CalledTrace } from "../coverage/trace/test_trace.ts";
import { ImageCode } from "../elf/image_code.ts";
import { readSymbolNames } from "../elf/symbol_names.ts";
import { KcovUnavailableError } from "../errors.ts";
import { OpenImage } from "../kernel/image/open_image.ts";
import { imageCallEntries } from "../kernel/image_entries.ts";
import type { LoadedRun, TestTrace } from "./load_run.ts";

/**
 * The calls of a test's trace.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is gone: calls are in its code.
 */
export function readTrace(
  { coverage, imagePath }: LoadedRun,
  { pcs, order }: TestTrace,
): CalledTrace {
  if (imagePath === undefined) {
    throw new KcovUnavailableError(
      "no-image",
      "Cannot tell calls: the kernel's image is gone, and only its index is left: name it with --vmlinux",
    );
  }
  using image = new OpenImage(imagePath);
  const { elf } = image;
  const { universe: { image: index }, kernel } = coverage;
  const points = Float64Array.from(index.allPointOffsets, (offset) => index.base + offset);
  const { callLength } = index;
  const code = new TraceCode(
    new ImageCode(elf),
    readSymbolNames(elf, 0),
    points,
    callLength,
  );
  // What is read of the image later are names.
  elf.keepSymbols();
  const entries = imageCallEntries(image, kernel?.machine ?? elf.header.machine.unameName);
  const addresses = Float64Array.from(order.points, (point) => pcs[point] - callLength);
  return new CalledTrace(code, index, entries, addresses);
}
