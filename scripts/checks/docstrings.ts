/**
 * Checks that each name that mod.ts exports is documented, by what `deno doc --json` says: a description, a running example,
 * where its format or its mechanism comes from (`@see`); of functions and methods parameters, results and errors; of properties a
 * description, and of those that are numbers or arrays of them a unit, a shape or what is counted.
 *
 *   npm run check:docstrings
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  readonly tsType?: unknown;
}

interface Documented {
  readonly name?: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly Tag[] };
}

interface Parameter {
  readonly name?: string;
  readonly left?: Parameter;
  readonly arg?: Parameter;
}

interface Callable extends Documented {
  readonly params?: readonly Parameter[];
  readonly returnType?: { readonly repr?: string };
}

/** A declaration, as `deno doc --json` (version 2) has it. */
interface Declaration extends Documented {
  readonly kind: string;
  readonly def: Callable & {
    readonly constructors?: readonly Callable[];
    readonly methods?: readonly (Callable & { readonly functionDef?: Callable })[];
    readonly properties?: readonly (Documented & { readonly tsType?: unknown })[];
  };
}

/** An exported name, as `deno doc --json` has it. */
export interface ExportedSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** What is missing in the documentation of exports, one line each. */
export function docstringProblems(symbols: readonly ExportedSymbol[]): string[] {
  return symbols.flatMap(({ name, declarations }) =>
    declarations.flatMap((one) =>
      declarationProblems(name, one).map((problem) => `${name}: ${problem}`)
    )
  );
}

function declarationProblems(name: string, declaration: Declaration): string[] {
  const { kind, def } = declaration;
  const tags = declaration.jsDoc?.tags ?? [];
  return [
    ...described(declaration, ""),
    ...exampleProblems(name, tags),
    ...(tags.some((tag) => tag.kind === "see" && said(tag.doc)) ? [] : ["no @see: its source"]),
    ...(kind === "function" ? callProblems({ ...def, ...declaration }, "") : []),
    ...(def.constructors ?? []).flatMap((one) => [
      ...described(one, "constructor: "),
      ...parameterProblems(one, "constructor: "),
    ]),
    ...(def.methods ?? []).flatMap((one) => [
      ...described(one, `${one.name}(): `),
      ...callProblems({ ...one.functionDef, ...one }, `${one.name}(): `),
    ]),
    ...(def.properties ?? []).flatMap((one) => [
      ...described(one, `${one.name}: `),
      ...unitProblems(one),
    ]),
  ];
}

function said(text: string | undefined): boolean {
  return text !== undefined && /\w/.test(text);
}

function described({ jsDoc }: Documented, place: string): string[] {
  return said(jsDoc?.doc) ? [] : [`${place}no description`];
}

/** An example counts where `deno test --doc` runs it and it uses the name. */
function exampleProblems(name: string, tags: readonly Tag[]): string[] {
  const codes = tags.filter(({ kind }) => kind === "example")
    .flatMap(({ doc = "" }) =>
      [...doc.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!)
    );
  const uses = new RegExp(`\\b${name}\\b`);
  return codes.some((code) => uses.test(code)) ? [] : ["no running @example that uses it"];
}

/** Functions and methods say what they take, give and throw; "Never throws" is said too. */
function callProblems(call: Callable, place: string): string[] {
  const { jsDoc, returnType } = call;
  const tags = jsDoc?.tags ?? [];
  const returns = returnType?.repr !== "void";
  return [
    ...parameterProblems(call, place),
    ...(!returns || tags.some((tag) => tag.kind === "return" && said(tag.doc))
      ? []
      : [`${place}no @returns`]),
    ...(tags.some((tag) => tag.kind === "throws" && tag.tsType !== undefined && said(tag.doc)) ||
        /never throws/i.test(jsDoc?.doc ?? "")
      ? []
      : [`${place}no @throws with an error's class, and no "Never throws"`]),
  ];
}

function parameterProblems({ params = [], jsDoc }: Callable, place: string): string[] {
  const documented = new Set(
    (jsDoc?.tags ?? []).filter(({ kind, doc }) => kind === "param" && said(doc))
      .map(({ name }) => name),
  );
  return params.map((one) => (one.left ?? one.arg ?? one).name ?? "")
    .filter((name) => !documented.has(name)).map((name) => `${place}no @param ${name}`);
}

/** Types whose values are numbers without a name of their own: what is one of them? */
const NUMERIC = /"(?:number|bigint|(?:Big)?(?:Uint|Int|Float)\d+Array|Address)"/;
const UNIT =
  /\b(?:milliseconds|bytes?|bits?|number of|numbers of|how often|how many|so many|indexe?s|index|addresses|address|ascending|errno|from 1|threads and processes|items|records|operand|2\^\d+|comparisons)\b/i;

function unitProblems({ name, jsDoc, tsType }: Documented & { tsType?: unknown }): string[] {
  if (!NUMERIC.test(JSON.stringify(tsType ?? null))) return [];
  return UNIT.test(jsDoc?.doc ?? "") ? [] : [`${name}: a number without a unit or what it counts`];
}

/** The exports of a module, by its path. */
export function exportsOf(module: string): ExportedSymbol[] {
  const json = execFileSync("deno", ["doc", "--json", module], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    // Types of packages that it cannot find are no matter here.
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { nodes } = JSON.parse(json) as {
    readonly nodes: Readonly<Record<string, { readonly symbols: ExportedSymbol[] }>>;
  };
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

if (import.meta.main) {
  const symbols = exportsOf(join(import.meta.dirname!, "../../mod.ts"));
  const problems = docstringProblems(symbols);
  for (const problem of problems) console.error(problem);
  console.log(`docstrings: ${symbols.length} exports, ${problems.length} problems`);
  process.exitCode = problems.length === 0 && symbols.length > 0 ? 0 : 1;
}
