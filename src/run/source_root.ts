import { dirname, join } from "node:path";
import { pathExists } from "../sys/files.ts";

/**
 * The root of the kernel source that an image was built from, where it lies beside the image: the image's own folder
 * for a kernel built in its tree, its `source` folder or link for other builds. `undefined` where it is not there.
 */
export function sourceRootOf(imagePath: string | undefined): string | undefined {
  if (imagePath === undefined) return undefined;
  const folder = dirname(imagePath);
  return [folder, join(folder, "source")].find((root) =>
    pathExists(join(root, "Kconfig")) && pathExists(join(root, "fs"))
  );
}
