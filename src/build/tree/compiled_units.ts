import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseUnitCommand, type UnitCommand } from "./unit_command.ts";

/** An object of a build that is compiled from one source. */
export interface CompiledUnit extends UnitCommand {
  /** Path of the object, from the build's folder. */
  readonly object: string;
}

/** What depends on a file. */
export interface Dependents {
  readonly units: readonly CompiledUnit[];
  /** Something else depends on it too, such as a linker script or a program of the build. */
  readonly others: boolean;
}

/** The objects that a build was made of, by the files that they depend on; read from what kbuild noted. */
export class CompiledUnits {
  readonly #mirror: string;
  readonly #units = new Map<string, CompiledUnit>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #others = new Set<string>();

  constructor(mirror: string) {
    this.#mirror = mirror;
    this.#visit("");
  }

  /** All files that the build depends on. */
  files(): string[] {
    return [...new Set([...this.#dependents.keys(), ...this.#others])];
  }

  /** The files that something else than an object depends on. */
  get otherFiles(): ReadonlySet<string> {
    return this.#others;
  }

  dependents(file: string): Dependents {
    const objects = [...this.#dependents.get(file) ?? []];
    return {
      units: objects.map((object) => this.#units.get(object)!),
      others: this.#others.has(file),
    };
  }

  /** Reads again what an object depends on, when it has been compiled. */
  refresh(object: string): void {
    for (const file of this.#units.get(object)?.files ?? []) {
      this.#dependents.get(file)?.delete(object);
    }
    const at = object.lastIndexOf("/") + 1;
    this.#read(object.slice(0, at), `.${object.slice(at)}.cmd`);
  }

  #visit(folder: string): void {
    for (const entry of readdirSync(join(this.#mirror, folder), { withFileTypes: true })) {
      if (entry.isDirectory()) this.#visit(`${folder}${entry.name}/`);
      else if (/^\..+\.cmd$/.test(entry.name)) this.#read(folder, entry.name);
    }
  }

  #read(folder: string, name: string): void {
    const unit = parseUnitCommand(readFileSync(join(this.#mirror, folder, name), "utf8"));
    if (unit === undefined) return;
    const object = `${folder}${name.slice(1, -".cmd".length)}`;
    // Programs of the build run on this machine: they are compiled from the same kind of file.
    const isUnit = /\.o$/.test(object) && /\.[cS]$/.test(unit.source) &&
      !/^(?:scripts|tools|usr)\//.test(object);
    for (const file of unit.files) {
      if (!isUnit) this.#others.add(file);
      else {
        const known = this.#dependents.get(file) ?? new Set();
        this.#dependents.set(file, known.add(object));
      }
    }
    if (isUnit) this.#units.set(object, { ...unit, object });
  }
}
