/** What stands on a source line, roughly: what a miss or a false claim is counted as. */
export type LineKind =
  | "label"
  | "declaration of a function"
  | "declaration"
  | "condition"
  | "loop"
  | "goto"
  | "return"
  | "break, continue"
  | "closing brace"
  | "assignment"
  | "call"
  | "continuation";

/**
 * The kind of a line of C in the kernel's style.
 *
 * @param text the line, with its indentation
 */
export function lineKind(text: string): LineKind {
  const line = text.replace(/\/\*.*?(?:\*\/|$)/g, "").trim();
  if (/^(?:case\b.*|default|\w+)\s*:(?!:)/.test(line)) return "label";
  if (/^[A-Za-z]/.test(text)) return "declaration of a function";
  if (/^(?:\}\s*)?(?:else\b|(?:else )?if\b|switch\b)/.test(line)) return "condition";
  if (/^(?:\}\s*)?(?:while|for|do|\w*for_each\w*)\b/.test(line)) return "loop";
  if (/^goto\b/.test(line)) return "goto";
  if (/^return\b/.test(line)) return "return";
  if (/^(?:break|continue)\b/.test(line)) return "break, continue";
  if (/^\}/.test(line)) return "closing brace";
  if (
    /^(?:static |const |struct |union |enum |unsigned |int |long |bool |char |size_t |[su]\d+ |u_?int\d+_t |\w+_t )/
      .test(line)
  ) {
    return "declaration";
  }
  if (/^[^(]*[^=!<>]=[^=]/.test(line) || /(?:\+\+|--);$/.test(line)) return "assignment";
  if (/^\w[\w>.-]*\s*\(/.test(line)) return "call";
  return "continuation";
}
