import { type FSWatcher, lstatSync, watch } from "node:fs";
import { dirname, join } from "node:path";

/** Editors write a file in several steps, and formatters write it again at once. */
const QUIET_MS = 40;

/** Tells which of some files have changed: of each folder that one of them is in the kernel tells of every change. */
export class FileWatcher implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #stamps = new Map<string, string>();
  readonly #suspects = new Set<string>();
  readonly #onChange: (paths: string[]) => void;
  readonly #isWatched: (path: string) => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param isWatched whether a file that was not there before counts
   * @param onChange gets the paths of files whose size or time has changed, or that have come or gone
   */
  constructor(isWatched: (path: string) => boolean, onChange: (paths: string[]) => void) {
    this.#isWatched = isWatched;
    this.#onChange = onChange;
  }

  /** Watches these files too. */
  add(paths: Iterable<string>): void {
    for (const path of paths) {
      if (this.#stamps.has(path)) continue;
      this.#stamps.set(path, stampOf(path));
      this.#watchFolder(dirname(path));
    }
  }

  #watchFolder(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name !== null) this.#suspect(join(folder, String(name)));
      });
      watcher.on("error", () => this.#watchers.delete(folder)); // The folder is gone.
      this.#watchers.set(folder, watcher);
    } catch {
      // A folder that is not there yet: what is in it is seen when its tree is built again.
    }
  }

  #suspect(path: string): void {
    if (!this.#stamps.has(path) && !this.#isWatched(path)) return;
    this.#suspects.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), QUIET_MS);
  }

  #look(): void {
    const changed = [...this.#suspects].filter((path) => {
      const stamp = stampOf(path);
      // Between two steps of a save it may be gone.
      if (stamp === (this.#stamps.get(path) ?? "")) return false;
      this.#stamps.set(path, stamp);
      return true;
    });
    this.#suspects.clear();
    if (changed.length > 0) this.#onChange(changed);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

/** Empty where there is no such file. */
function stampOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.size} ${stat.mtimeMs} ${stat.ino}`;
}
