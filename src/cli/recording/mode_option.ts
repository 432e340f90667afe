import { isRecordMode, RECORD_MODES, type RecordMode } from "../../hook/mode.ts";
import { UsageError } from "../command_line.ts";

/**
 * The mode for `--mode pc|cmp|trace`.
 *
 * @throws {UsageError} There is no such mode.
 */
export function recordModeOf(text: string): RecordMode {
  if (isRecordMode(text)) return text;
  throw new UsageError(`Unknown mode "${text}": use ${RECORD_MODES.join(", ")}`);
}
