/** Lines behind a complaint that belong to it: its call trace. */
const LINES_SHOWN = 40;
/**
 * What the kernel begins its complaints with, whatever their level. Not the stalls that it sees where it is emulated or
 * gets no processor.
 */
const COMPLAINT =
  /^\[ *\d+\.\d+\](?:\[[^\]]*\])? (?:WARNING|BUG|INFO: (?:trying|possible|inconsistent|suspicious)|ODEBUG|kernel BUG|general protection|Oops|Kernel panic|list_(?:add|del) corruption)/;

/** Each complaint in the kernel's messages, with its call trace. */
export function kernelComplaints(messages: string): string[] {
  const lines = messages.split(/\r?\n/);
  return lines.flatMap((line, at) =>
    COMPLAINT.test(line) ? [lines.slice(at, at + LINES_SHOWN).join("\n")] : []
  );
}
