import { existsSync, renameSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { KcovUnavailableError } from "../errors.ts";
import { runToEnd } from "./run_to_end.ts";
import { kernelPatches, RECIPE_FOLDER, SOURCE_PACKAGE } from "./kernel_folder.ts";

/** Where Debian's package puts the source. */
const SOURCE_ARCHIVE = `/usr/src/${SOURCE_PACKAGE}.tar.xz`;

/**
 * Folders of drivers that user-mode Linux cannot have. Their sources are four fifths of the archive's bytes; their Kconfig files and
 * Makefiles are needed all the same.
 */
const UNUSED_DRIVERS =
  ("accel accessibility ata auxdisplay bluetooth bus cdx clk clocksource comedi counter cpufreq cpuidle crypto cxl dma " +
    "edac extcon firmware fpga gpio gpu greybus hid hsi hv hwmon hwtracing i2c i3c iio infiniband input interconnect " +
    "iommu irqchip isdn leds macintosh mailbox md media memory message mfd mmc mtd mux net/can net/dsa net/ethernet " +
    "net/phy net/usb net/wan net/wireless net/wwan nfc ntb nvme nvmem parport pci pcmcia perf phy pinctrl platform " +
    "pmdomain power pwm rapidio regulator remoteproc reset rpmsg rtc s390 scsi soc soundwire spi spmi ssb staging " +
    "target thermal thunderbolt tty/serial ufs usb vdpa vfio video w1 watchdog xen").split(" ");

/** Without arm64, which the patches change, too. */
const UNUSED_ARCHITECTURES =
  ("alpha arc arm csky hexagon loongarch m68k microblaze mips nios2 openrisc parisc powerpc riscv s390 sh " +
    "sparc xtensa").split(" ");

/** Graphics cards that user-mode Linux cannot have: most of the drivers' bytes. */
const UNUSED_GRAPHICS = "amd i915 nouveau radeon xe".split(" ").map((name) => `gpu/drm/${name}`);

function excludedPatterns(allDrivers: boolean): string[] {
  const drivers = allDrivers ? UNUSED_GRAPHICS : UNUSED_DRIVERS;
  return [
    ...["rst", "txt", "yaml", "svg"].map((ending) => `Documentation/*.${ending}`),
    ...allDrivers ? [] : ["sound", "samples"].map((folder) => `${folder}/*.[chS]`),
    ...["tools/testing/*", "tools/perf/*", "arch/*.dts*", "arch/*/configs/*"],
    ...UNUSED_ARCHITECTURES.map((name) => `arch/${name}/*.[chS]`),
    ...drivers.map((name) => `drivers/${name}/*.[chS]`),
  ].map((pattern) => `--exclude=${SOURCE_PACKAGE}/${pattern}`);
}

/**
 * Unpacks the parts of the source that can be needed into `folder` and applies the patches. All or nothing: the folder
 * appears when it is complete.
 *
 * @param allDrivers also those that the embedded kernel's own options cannot ask for
 * @throws {KcovUnavailableError} the archive is missing or damaged, or the patch does not apply.
 */
export async function unpackSource(
  folder: string,
  { allDrivers = false }: { readonly allDrivers?: boolean } = {},
): Promise<void> {
  if (!existsSync(SOURCE_ARCHIVE)) {
    throw new KcovUnavailableError(
      "not-built-in",
      `${SOURCE_ARCHIVE} is missing: reinstall it with apt-get install --reinstall ${SOURCE_PACKAGE}`,
    );
  }
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  // Anchored: 100 patterns against 90,000 names that each may match anywhere are 3 seconds.
  const excluded = excludedPatterns(allDrivers).map((pattern) => `'${pattern}'`).join(" ");
  await runStep(
    "unpack the kernel's source",
    `set -o pipefail; xz -dc -T0 ${SOURCE_ARCHIVE} | tar -xf - --strip-components=1 --anchored ${excluded}`,
    partial,
  );
  for (const name of kernelPatches()) {
    await runStep(
      `apply ${name}`,
      `patch -p1 --no-backup-if-mismatch --fuzz=0 <"$1"`,
      partial,
      join(RECIPE_FOLDER, name),
    );
  }
  renameSync(partial, folder);
}

async function runStep(
  what: string,
  script: string,
  cwd: string,
  ...args: string[]
): Promise<void> {
  // bash for pipefail; the kernel's own Makefile needs it too (arch/um/Makefile).
  const { status, output } = await runToEnd("bash", ["-c", script, "bash", ...args], { cwd });
  if (status === 0) return;
  const lines = output.trim().split("\n").slice(-5).join("\n");
  throw new KcovUnavailableError(
    "not-built-in",
    `Cannot ${what}: check the free space and the package ${SOURCE_PACKAGE}\n${lines}`,
  );
}
