import { type CallEntries, callEntries, type FunctionRange } from "../kcov/call_entries.ts";
import { STT_FUNC } from "../elf/constants.ts";
import { OpenImage } from "./image/open_image.ts";
import { keepCallEntries, keptCallEntries } from "./entry_functions.ts";

/**
 * Keeps in which functions a kernel is entered, for the processes that run on it: its image tells that sooner than the
 * kernel, and a guest cannot keep it. An image that cannot be read costs only that.
 *
 * @param path The kernel's image.
 * @param machine Whose numbers its system calls are, as `uname -m` has it.
 */
export function keepImageEntries(path: string, machine: string): void {
  try {
    using image = new OpenImage(path);
    const { buildId } = image.elf;
    if (keptCallEntries(buildId) !== undefined) return;
    keepCallEntries(buildId, imageCallEntries(image, machine));
  } catch {
    // The kernel itself may tell.
  }
}

/** The functions in which the kernel of an image is entered. */
export function imageCallEntries(image: OpenImage, machine: string): CallEntries {
  return callEntries(functionsOf(image), machine);
}

function* functionsOf({ elf }: OpenImage): Generator<FunctionRange> {
  const symbols = elf.symbols();
  for (let index = 0; index < symbols.count; index++) {
    if (symbols.type[index] !== STT_FUNC || symbols.size[index] === 0) continue;
    const start = symbols.address[index];
    yield { name: symbols.nameOf(index), start, end: start + symbols.size[index] };
  }
}
