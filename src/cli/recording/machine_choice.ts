import { KcovUnavailableError } from "../../errors.ts";
import { kcovAvailability } from "../../kernel/kcov_availability.ts";
import {
  buildEmbeddedKernel,
  type KernelDefinition,
  namedKernel,
} from "../../build/build_kernel.ts";
import { kernelNames } from "../../build/kernel_names.ts";
import { HERE } from "../../machines/here/here.ts";
import type { GuestOptions, Machine } from "../../machines/machine.ts";
import { builtKernel, ownKernel } from "../../machines/uml/uml_kernel.ts";
import { checkProcessors, UmlMachine } from "../../machines/uml/uml_machine.ts";
import { vmKernel } from "../../machines/vm/vm_kernel.ts";
import { VmMachine } from "../../machines/vm/vm_machine.ts";
import { UsageError, warn } from "../command_line.ts";

/**
 * The machine for `--kernel auto|host|embedded|NAME|PATH`. For `auto` this one where its kernel can record, else the
 * embedded kernel, which is then said in one line. The embedded kernel, or that of the name, is built if it is not there.
 *
 * @param guest how a guest runs its command
 * @param embedded a kernel in the place of the embedded one
 * @throws {KcovUnavailableError} Where `host` is asked for and cannot record, or the embedded one cannot be built.
 * @throws {TypeError} Where there is no kernel at the path.
 */
export async function chooseMachine(
  name: string,
  guest: GuestOptions,
  embedded?: KernelDefinition,
): Promise<Machine> {
  if (name === "embedded" && embedded !== undefined) return await builtMachine(embedded, guest);
  if (name !== "auto" && name !== "host") return await guestMachine(name, guest, ["auto", "host"]);
  const { available, reason, message } = kcovAvailability();
  if (available) return HERE;
  if (name === "host") throw new KcovUnavailableError(reason ?? "not-built-in", message);
  warn(`Using the embedded kernel. ${message.split(":")[0]}`);
  return await (embedded === undefined
    ? guestMachine("embedded", guest)
    : builtMachine(embedded, guest));
}

async function builtMachine(definition: KernelDefinition, guest: GuestOptions): Promise<Machine> {
  return new UmlMachine(builtKernel(await buildEmbeddedKernel(definition)), guest);
}

/**
 * The machine that boots the kernel of `--kernel embedded|NAME|PATH`: what has a slash is a path, all else a name.
 *
 * @param others what else the option takes, for the error
 * @throws {KcovUnavailableError} Where the kernel has to be built and cannot.
 * @throws {TypeError} Where there is no kernel at the path.
 */
export async function guestMachine(
  name: string,
  guest: GuestOptions,
  others: readonly string[] = [],
): Promise<Machine> {
  if (name.includes("/")) return machineAt(name, guest);
  // Before the kernel is built.
  checkProcessors(guest);
  const definition = kernelDefinition(name, others, " or a path with a slash");
  return new UmlMachine(builtKernel(await buildEmbeddedKernel(definition)), guest);
}

/** The machine for a kernel of the user's: the file's header tells which kind it is. */
function machineAt(path: string, guest: GuestOptions): Machine {
  const kernel = vmKernel(path, guest.vmlinux);
  if (kernel !== undefined) return new VmMachine(kernel, guest);
  return new UmlMachine(ownKernel(path), guest);
}

/** The kernel that was built under a name; `undefined` stands for the embedded one. */
export function kernelDefinition(
  name: string,
  others: readonly string[] = [],
  ending = "",
): KernelDefinition | undefined {
  if (name === "embedded") return undefined;
  const named = namedKernel(name);
  if (named !== undefined) return named;
  const names = [...others, "embedded", ...kernelNames()].join(", ");
  throw new UsageError(`Unknown kernel "${name}": use ${names}${ending}`);
}
