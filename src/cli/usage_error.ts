/** The command line is wrong: one line that says what to change, and exit status 2. */
export class UsageError extends TypeError {
  override readonly name = "UsageError";
}
