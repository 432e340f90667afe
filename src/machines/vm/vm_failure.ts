const FRAGMENT = "kernelcov kernel config --vm prints what it needs";

/**
 * Why a virtual machine ended before its command began, from what its kernel and QEMU wrote: one sentence that ends with
 * what to change, and the last lines where they say more.
 */
export function explainVmFailure(log: string, killedBy: string | undefined): string {
  const lacks = /kernelcov: this kernel lacks (.*)/.exec(log)?.[1].trim();
  if (lacks !== undefined) return `This kernel lacks ${lacks}: ${FRAGMENT}`;
  const lines = log.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const qemu = lines.find((line) => /^(kernelcov|qemu-system-\w+): /.test(line));
  if (qemu !== undefined) return `QEMU could not run the machine: ${qemu}`;
  if (/VFS: Unable to mount root/.test(log)) {
    return `This kernel lacks CONFIG_BLK_DEV_INITRD=y: ${FRAGMENT}`;
  }
  const panic = lines.findIndex((line) => /Kernel panic - not syncing/.test(line));
  const last = lines.slice(0, panic < 0 ? lines.length : panic + 1).slice(-12).join("\n");
  if (panic >= 0) {
    return `The guest's kernel panicked while it started: its last lines may name the cause\n${last}`;
  }
  if (killedBy !== undefined) {
    return `The machine was ended by ${killedBy} while it started: it was killed, or the host is out of memory`;
  }
  return last === ""
    ? `The machine ended without a message: its kernel may lack CONFIG_SERIAL_8250_CONSOLE=y: ${FRAGMENT}`
    : `The machine ended before its command did: its kernel's last lines may name the cause\n${last}`;
}
