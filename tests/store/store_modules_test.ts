import assert from "node:assert/strict";
import test from "node:test";
import { madeUpKernel, randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import type { CoverageImage } from "../../src/coverage/coverage_image.ts";
import { untilFetched } from "../../src/coverage/hits/hit_source.ts";
import { joinImages } from "../../src/coverage/join_images.ts";
import type { CoveredModule } from "../../src/coverage/module_coverage.ts";
import { CAUSED_BY_TESTS } from "../../src/coverage/origin_selection.ts";
import { SimilarTests } from "../../src/coverage/questions/similar_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { uniqueCoverage } from "../../src/coverage/questions/unique_coverage.ts";
import { whichLine } from "../../src/coverage/questions/which_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { universeNumbers } from "../../src/run/stores/load_store.ts";
import { ShardWriter } from "../../src/run/stores/shard_writer.ts";
import { showJson, showTest } from "../../src/report/show_text.ts";
import { totalsText } from "../../src/report/text_table.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { fetchedHits } from "../../src/store/fetched_hits.ts";
import { StoreWriter } from "../../src/store/store_folder.ts";
import { wholeHits } from "../../src/store/whole_hits.ts";
import { testRecord } from "../_support/test_records.ts";
import { KERNEL, temporaryFolder } from "./stored_runs.ts";

const SIZES = { files: 3, lines: 80, points: 120, sourceFactor: 2 };
const KERNEL_IMAGE = madeUpKernel(SIZES);

function moduleImage(name: string, points: number): CoverageImage & { readonly name: string } {
  const image = madeUpKernel({ files: 2, lines: 40, points, sourceFactor: 2 });
  return {
    ...image,
    name,
    files: image.files.map((file) => `drivers/${name}/${file}`),
    functionName: image.functionName.map((text) => `${name}_${text}`),
  };
}

const MODULES = [moduleImage("alpha", 60), moduleImage("beta", 70), moduleImage("gamma", 50)];

/** An image of the kernel with some modules, as a run that had these loaded has it. */
function joined(names: readonly string[]): { image: CoverageImage; modules: CoveredModule[] } {
  const own = MODULES.filter(({ name }) => names.includes(name));
  const { image, firstPoint } = joinImages(KERNEL_IMAGE, own);
  const modules = own.map(({ name, pointOffset }, at): CoveredModule => ({
    name,
    buildId: name,
    firstPoint: firstPoint[at],
    points: pointOffset.length,
    addresses: [],
  }));
  return { image, modules };
}

const ALL = joined(MODULES.map(({ name }) => name));
const UNIVERSE = buildUniverse(ALL.image);

/** Points of an image by what they are of, so that they are found in another. */
function pointOf(to: ReturnType<typeof joined>, image: string, point: number): number {
  if (image === "") return point;
  return to.modules.find(({ name }) => name === image)!.firstPoint + point;
}

type Hit = readonly [image: string, point: number];

function recordOf(name: string, hits: readonly Hit[], to: ReturnType<typeof joined>): TestRecord {
  const { base, callLength, pointOffset } = to.image;
  const pcs = hits.map(([image, point]) =>
    base + pointOffset[pointOf(to, image, point)] + callLength
  );
  const sorted = Float64Array.from(new Set(pcs)).sort();
  const half = Math.ceil(sorted.length / 2);
  const places = Uint32Array.from(sorted, (_, place) => place);
  const origins = [
    { origin: 0x0001, points: places.slice(0, half) },
    { origin: 0x2001, points: places.slice(half) },
  ].filter(({ points }) => points.length > 0);
  return testRecord({ name, file: "a_test.ts", runner: "deno", pcs: sorted, hits: null, origins });
}

test("points of modules have one number, whichever modules a run had loaded", async () => {
  using folder = temporaryFolder();
  const random = randomNumbers(4);
  const runs = [["gamma"], ["alpha", "gamma"], [], ["beta", "gamma"], ["alpha", "beta", "gamma"]];
  const sizes = new Map(MODULES.map(({ name, pointOffset }) => [name, pointOffset.length]));
  const expected: TestRecord[] = [];
  {
    using writer = new StoreWriter(folder.path);
    let loaded = joined([]);
    const shards = new ShardWriter(writer, () => ({ ...loaded, path: undefined, moved: [] }));
    for (const [number, names] of runs.entries()) {
      loaded = joined(names);
      const records: TestRecord[] = [];
      for (let test = 0; test < 6; test++) {
        const hits = Array.from({ length: 30 }, (): Hit => {
          const image = ["", ...names][Math.floor(random() * (names.length + 1))];
          return [
            image,
            Math.floor(random() * (sizes.get(image) ?? KERNEL_IMAGE.pointOffset.length)),
          ];
        });
        // The halves of a record's origins go by address, so that both images need them in one order: names are sorted.
        records.push(recordOf(`run ${number} > test ${test}`, hits, loaded));
        expected.push({ ...recordOf(`run ${number} > test ${test}`, hits, ALL), pass: number });
      }
      await shards.add({
        kernel: KERNEL,
        records,
        damaged: 0,
        modules: names.map((name) => ({ name, buildId: name, sections: [] })),
      }, {
        ...{ id: `${number}`, startedAt: number, damaged: 0, lost: 0, cut: [], otherKernel: 0 },
        files: { [`${number}`]: "" },
      });
    }
    await shards.commit();
  }
  const driver = await BuiltInDriver.open(folder.path);
  const names = driver.catalog.manifest.modules.map(({ name }) => name);
  assert.deepEqual(names, ["gamma", "alpha", "beta"], "as they came");
  const all = ALL.image.pointOffset.length;
  const { numbers, points } = universeNumbers(driver, all, ALL.modules);
  assert.equal(points, KERNEL_IMAGE.pointOffset.length);
  const merged = new RunCoverage(UNIVERSE, expected, { kernel: KERNEL, modules: ALL.modules });
  const options = {
    ...{ selection: CAUSED_BY_TESTS, steady: false, points: all, numbers },
    modules: ALL.modules.map(({ name }) => name),
  };
  const answers = (coverage: RunCoverage): unknown => {
    const lookup = new TestLookup(coverage);
    const { lineNumber, lineFile, files } = ALL.image;
    return {
      lines: Array.from(lineNumber, (line, id) => whichLine(lookup, files[lineFile[id]], line)),
      unique: uniqueCoverage(coverage),
      shown: repeatGroups(coverage).map((group) => {
        const similar = new SimilarTests(coverage).of(group.tests[0], 3);
        return showJson(coverage, showTest(coverage, group, similar));
      }),
      modules: coverage.modules,
      totals: totalsText(coverage),
    };
  };
  for (const read of [wholeHits, fetchedHits]) {
    const hits = await read(driver, options);
    const stored = new RunCoverage(UNIVERSE, hits, { kernel: KERNEL, modules: ALL.modules });
    const found = await untilFetched(stored, () => answers(stored));
    assert.deepEqual(found, answers(merged), read.name);
  }
  await driver.close();
});
