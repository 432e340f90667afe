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

const UNUSED_ARCHITECTURES =
  ("alpha arc arm csky hexagon loongarch m68k microblaze mips nios2 openrisc parisc powerpc riscv s390 sh " +
    "sparc xtensa").split(" ");

/** Graphics cards that user-mode Linux cannot have: most of the drivers' bytes. */
const UNUSED_GRAPHICS = "amd i915 nouveau radeon xe".split(" ").map((name) => `gpu/drm/${name}`);

/**
 * Patterns of tar for the files of a kernel's source that a build of user-mode Linux cannot need. `*` stands for any
 * characters, slashes too.
 *
 * @param allDrivers without those that the embedded kernel's own options cannot ask for
 */
export function unusedPatterns(allDrivers: boolean): string[] {
  const drivers = allDrivers ? UNUSED_GRAPHICS : UNUSED_DRIVERS;
  return [
    ...["rst", "txt", "yaml", "svg"].map((ending) => `Documentation/*.${ending}`),
    ...allDrivers ? [] : ["sound", "samples"].map((folder) => `${folder}/*.[chS]`),
    ...["tools/testing/*", "tools/perf/*", "arch/*.dts*", "arch/*/configs/*"],
    ...UNUSED_ARCHITECTURES.map((name) => `arch/${name}/*.[chS]`),
    ...drivers.map((name) => `drivers/${name}/*.[chS]`),
  ];
}

/** Whether one of {@linkcode unusedPatterns} stands for a path, as a function of it. */
export function unusedSources(allDrivers: boolean): (path: string) => boolean {
  const patterns = unusedPatterns(allDrivers).map((pattern) =>
    pattern.replace(/[.]/g, "\\.").replaceAll("*", ".*")
  );
  const expression = new RegExp(`^(?:${patterns.join("|")})$`);
  return (path) => expression.test(path);
}
