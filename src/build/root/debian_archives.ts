import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { runToEnd } from "../run_to_end.ts";

/**
 * Downloads Debian's packages of another architecture, with all that they depend on, by apt-get from the sources that it
 * is set up with. Its state and lists are in folders of their own: the host's packages stay as they are.
 *
 * @param work folder for that, made if it is not there
 * @param arch as Debian names it
 * @returns paths of the archives
 * @throws {KcovUnavailableError} apt-get is missing, or failed.
 */
export async function debianArchives(
  work: string,
  arch: string,
  names: readonly string[],
): Promise<string[]> {
  const state = join(work, "state"), cache = join(work, "cache");
  const archives = join(cache, "archives");
  mkdirSync(join(state, "lists/partial"), { recursive: true });
  mkdirSync(join(archives, "partial"), { recursive: true });
  const status = join(work, "status");
  if (!existsSync(status)) writeFileSync(status, "");
  const options = [
    `APT::Architecture=${arch}`,
    `APT::Architectures=${arch}`,
    `Dir::State=${state}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${cache}`,
    // Another user, who may not enter the folder, downloads otherwise.
    `APT::Sandbox::User=${process.getuid?.() === 0 ? "root" : ""}`,
    "Debug::NoLocking=1",
  ].flatMap((option) => ["-o", option]);
  await aptGet(["-q", ...options, "update"]);
  const install = ["install", "-y", "--no-install-recommends", "--download-only"];
  await aptGet(["-q", ...options, ...install, ...names]);
  return readdirSync(archives).filter((name) => name.endsWith(".deb")).sort()
    .map((name) => join(archives, name));
}

async function aptGet(args: string[]): Promise<void> {
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const { status, output } = await runToEnd("apt-get", args, { env }).catch((cause) => {
    throw new KcovUnavailableError(
      "not-built-in",
      "Programs of another architecture are Debian's packages, and apt-get was not found: use Debian 12 or newer",
      { cause },
    );
  });
  if (status === 0) return;
  const errors = output.split("\n").filter((line) => line.startsWith("E: "))
    .map((line) => line.slice(3)).join("; ");
  throw new KcovUnavailableError(
    "not-built-in",
    `apt-get could not download Debian's packages: ${
      errors || "it failed"
    }: check the network and apt's sources`,
  );
}
