import { statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { openFile } from "../../sys/open_file.ts";

const ELF_MAGIC = 0x7f45_4c46;
const ELFCLASS64 = 2;
const EM_X86_64 = 62;

/**
 * Checks that the guest's kernel can run a command's program, as far as its file shows. It runs programs of x86-64 only:
 * a shell would take any other ELF file for a script.
 *
 * @param path What `PATH` holds for the command.
 * @throws {TypeError} It cannot.
 */
export function checkGuestProgram(
  [program]: readonly string[],
  path: string | undefined,
  cwd: string,
): void {
  const file = program === undefined ? undefined : findProgram(program, path ?? "", cwd);
  const header = file === undefined ? undefined : readHeader(file);
  if (header === undefined || header.getUint32(0) !== ELF_MAGIC) return;
  const is64 = header.getUint8(4) === ELFCLASS64;
  if (is64 && header.getUint16(18, true) === EM_X86_64) return;
  const what = is64 ? "a program for another processor" : "a 32-bit program";
  throw new TypeError(
    `Cannot run ${program} in the guest: it is ${what}, and the guest's kernel runs only those of x86-64: build it for that`,
  );
}

function findProgram(program: string, path: string, cwd: string): string | undefined {
  if (program.includes("/")) return resolve(cwd, program);
  return path.split(delimiter).map((folder) => resolve(cwd, folder, program)).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // As for execvp(3): a folder of PATH that is not there or may not be searched.
  }
}

function readHeader(path: string): DataView | undefined {
  const bytes = new Uint8Array(20);
  try {
    const file = openFile(path);
    try {
      return file.read(bytes, 0) === bytes.length ? new DataView(bytes.buffer) : undefined;
    } finally {
      file.close();
    }
  } catch {
    return undefined; // The guest will say why it cannot be run.
  }
}
