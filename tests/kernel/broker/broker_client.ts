// What a user without rights gets from a broker, as JSON. Arguments: what to do.
import { readFileSync } from "node:fs";
import { KcovDevice } from "../../../src/kcov/kcov_device.ts";
import { kcovAvailability } from "../../../src/kernel/kcov_availability.ts";
import { scriptArguments } from "../../../src/sys/runtime.ts";

/** Points of a failing system call, or why the device could not be had. */
function points(words: number): number | string {
  try {
    using device = KcovDevice.open({ words });
    device.enable();
    device.reset();
    try {
      readFileSync("/no/such/file");
    } catch {
      // It is its kernel code that counts.
    }
    const count = device.count();
    device.disable();
    return count;
  } catch (error) {
    return String(error);
  }
}

const [what, words = "512"] = scriptArguments();
if (what === "available") {
  const { available, message, findings } = kcovAvailability();
  console.log(JSON.stringify({ available, message, findings }));
} else {
  console.log(JSON.stringify(points(Number(words))));
}
