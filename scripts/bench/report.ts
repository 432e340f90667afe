/// <reference lib="dom" />
/**
 * The HTML report at the size of a kernel: how long it takes to write, what it weighs, and how soon its pages stand in
 * Chromium, opened from files, with what the page's thread worked in brackets. The peer is genhtml on the sum of the same run, which has no page about tests.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { CDPSession, Page } from "playwright-core";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { writeHtmlReport } from "../../src/report/html/write_html_report.ts";
import { lcovAggregate } from "../../src/report/lcov.ts";
import { launchChromium } from "../../tests/_support/chromium.ts";
import { madeUpKernel, madeUpRecords, madeUpSource } from "./report/made_up_kernel.ts";
import { isQuick, noteRow } from "./bench_row.ts";

const SIZES = { files: 4000, lines: 300_000, points: 400_000, sourceFactor: 9 };
const TESTS = isQuick() ? 1000 : 10_000;
const POINTS_PER_TEST = 1400;
const PAGES = 9;

interface Weight {
  files: number;
  bytes: number;
  largest: number;
}

function weigh(folder: string): Weight {
  const sum = { files: 0, bytes: 0, largest: 0 };
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const { size } = statSync(join(entry.parentPath, entry.name));
    sum.files++;
    sum.bytes += size;
    sum.largest = Math.max(sum.largest, size);
  }
  return sum;
}

function weightText({ files, bytes, largest }: Weight): string {
  return `${(bytes / 1e6).toFixed(0)} MB in ${files} files, the largest ${
    (largest / 1e6).toFixed(2)
  } MB`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How long a page took: until it was drawn, and how much of that the page's main thread worked. */
interface PageTime {
  readonly wall: number;
  readonly thread: number;
}

function timesText(times: readonly PageTime[]): string {
  const wall = times.map((time) => time.wall).sort((a, b) => a - b);
  const thread = times.map((time) => time.thread).sort((a, b) => a - b);
  return `${wall[wall.length >> 1].toFixed(0)} ms, worst ${wall.at(-1)!.toFixed(0)} ms ` +
    `(thread ${thread[thread.length >> 1].toFixed(0)}, ${thread.at(-1)!.toFixed(0)} ms)`;
}

/** Measures what the main thread of a page works: other programs on the machine do not count. */
class ThreadClock {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<ThreadClock> {
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    return new ThreadClock(session);
  }

  async milliseconds(): Promise<number> {
    const { metrics } = await this.#session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration")!.value;
  }
}

const rows: [string, string, string][] = [];
const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let start = performance.now();
const image = madeUpKernel(SIZES);
const records = madeUpRecords(image, TESTS, POINTS_PER_TEST);
const sources = new Map<string, string>();
image.lineFile.forEach((file, line) => {
  // Only the last line of each file is of interest: its number is the length.
  if (image.lineFile[line + 1] === file) return;
  sources.set(image.files[file], madeUpSource(image.files[file], image.lineNumber[line] + 3));
});
const pairs = records.reduce((sum, { pcs }) => sum + pcs.length, 0);
console.log(
  `made up in ${seconds(performance.now() - start)}: ${image.files.length} files, ` +
    `${image.lineNumber.length} lines, ${image.pointOffset.length} points, ${records.length} tests, ` +
    `${pairs} pairs of test and point, ${
      ([...sources.values()].reduce((sum, text) => sum + text.length, 0) / 1e6).toFixed(0)
    } MB of source`,
);

start = performance.now();
const coverage = new RunCoverage(buildUniverse(image), records);
rows.push(["points to coverage", seconds(performance.now() - start), ""]);

start = performance.now();
const cpu = process.cpuUsage();
const report = join(folder, "report");
const made = new Set<string>();
const input = { coverage, readSource: (file: string) => sources.get(file) };
for await (const { path, text } of writeHtmlReport(input)) {
  const target = join(report, path);
  if (!made.has(dirname(target))) mkdirSync(dirname(target), { recursive: true });
  made.add(dirname(target));
  writeFileSync(target, text);
}
const written = performance.now() - start;
const work = process.cpuUsage(cpu);

for (const [path, text] of sources) {
  mkdirSync(dirname(join(folder, "src", path)), { recursive: true });
  writeFileSync(join(folder, "src", path), text);
}
writeFileSync(join(folder, "sum.info"), [...lcovAggregate(coverage)].join(""));
start = performance.now();
execFileSync("genhtml", ["--quiet", "--output-directory", join(folder, "genhtml"), "../sum.info"], {
  cwd: join(folder, "src"),
});
rows.push([
  "write the report",
  `${seconds(written)} (CPU ${seconds((work.user + work.system) / 1000)})`,
  seconds(performance.now() - start),
]);
rows.push(["on disk", weightText(weigh(report)), weightText(weigh(join(folder, "genhtml")))]);

/** Times of opening an address in a page that was empty. */
async function openTimes(page: Page, urls: readonly string[], ready: string): Promise<PageTime[]> {
  const times: PageTime[] = [];
  for (const url of urls) {
    await page.goto("about:blank");
    const clock = await ThreadClock.of(page);
    const start = await clock.milliseconds();
    await page.goto(url);
    await page.waitForSelector(ready);
    const wall = await page.evaluate(() =>
      new Promise<number>((resolve) =>
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
      )
    );
    times.push({ wall, thread: await clock.milliseconds() - start });
  }
  return times;
}

/** Times of pages of the report, one after the other, from asking for each until it was drawn. */
async function pageTimes(page: Page, addresses: readonly string[]): Promise<PageTime[]> {
  const times: PageTime[] = [];
  const clock = await ThreadClock.of(page);
  for (const address of addresses) {
    // What is left to draw of the page before is none of this page's time.
    await page.waitForTimeout(500);
    const start = await clock.milliseconds();
    const wall = await page.evaluate((hash) =>
      new Promise<number>((resolve) => {
        const start = performance.now();
        function look(): void {
          const busy = document.getElementById("main")?.hasAttribute("aria-busy");
          if (busy) requestAnimationFrame(look);
          // After the next frame the browser has laid the page out and drawn it.
          else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
        }
        addEventListener("hashchange", () => requestAnimationFrame(look), { once: true });
        location.hash = hash;
      }), address);
    times.push({ wall, thread: await clock.milliseconds() - start });
  }
  return times;
}

const browser = await launchChromium();
try {
  const page = await browser.newPage();
  const ready = "main:not([aria-busy]) h1";
  const shell = await openTimes(page, Array(PAGES).fill(`file://${report}/index.html`), ready);
  const peer = await browser.newPage();
  const peerShell = await openTimes(
    peer,
    Array(PAGES).fill(`file://${folder}/genhtml/index.html`),
    "table",
  );
  await page.goto(`file://${report}/index.html`);
  rows.push(["open the first page", timesText(shell), timesText(peerShell)]);

  const largest = [0, 1, 2, 3, 4].map((file) => image.files[file]);
  const others = Array.from({ length: 20 }, (_, i) => image.files[97 + 190 * i]);
  const peerPages = (files: readonly string[]): Promise<PageTime[]> =>
    openTimes(peer, files.map((file) => `file://${folder}/genhtml/${file}.gcov.html`), "pre");
  rows.push([
    "source page, the 5 largest and hottest files",
    timesText(await pageTimes(page, largest.map((file) => `#/file/${file}`))),
    timesText(await peerPages(largest)),
  ]);
  rows.push([
    "source page, 20 others",
    timesText(await pageTimes(page, others.map((file) => `#/file/${file}`))),
    timesText(await peerPages(others)),
  ]);
  const line = image.lineNumber[10];
  rows.push([
    "tests of a line that thousands run",
    timesText(
      await pageTimes(page, ["#/", `#/file/${largest[0]}?line=${line}`]).then((t) => t.slice(1)),
    ),
    "",
  ]);
  const everySo = Array.from({ length: 10 }, (_, i) => 31 + 990 * i);
  rows.push([
    "page of a test",
    timesText(await pageTimes(page, everySo.map((test) => `#/test/${test}`))),
    "",
  ]);
  rows.push([
    "two tests compared",
    timesText(await pageTimes(page, everySo.map((test) => `#/compare/${test}/${test + 3}`))),
    "",
  ]);
  rows.push(["table of all tests", timesText(await pageTimes(page, ["#/tests"])), ""]);
} finally {
  await browser.close();
}

const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length), 18));
for (const [what, figure, peer] of rows) noteRow({ what, figure, peer, ratio: "" });
for (const row of [["", "kernelcov", "genhtml, sums only"], ...rows]) {
  console.log(row.map((cell, column) => cell!.padEnd(widths[column])).join("  ").trimEnd());
}
