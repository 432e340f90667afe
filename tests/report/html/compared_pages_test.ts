/// <reference lib="dom" />
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { ComparedPlace } from "../../../src/coverage/comparisons/compared_places.ts";
import type { FileData, RunData } from "../../../src/report/html/report_data.ts";
import { launchChromium } from "../../_support/chromium.ts";
import { openReportPage } from "../../_support/html_page.ts";
import {
  HOSTILE_NAME,
  reportFilesOf,
  ReportFolder,
  reportValues,
  smallInput,
} from "../../_support/html_report.ts";

/** A comparison at a line of `fs/pipe.c`. */
function compared(line: number, rest: Partial<ComparedPlace>): ComparedPlace {
  return {
    ...{ pc: line, size: 4, isCase: false, pairs: [], more: 0, times: 1, equal: 0 },
    frames: [{ function: "pipe_write", file: "fs/pipe.c", line }],
    ...rest,
  };
}

const pair = (first: bigint, second: bigint, times: number) => ({
  first,
  second,
  times,
  origin: 1,
});

const PLACES: readonly ComparedPlace[] = [
  compared(20, { constant: 0x53n, times: 14, pairs: [pair(0x53n, 0n, 14)] }),
  compared(20, { constant: 1n, times: 2, equal: 2, pairs: [pair(1n, 1n, 2)] }),
  ...[3n, 4n].map((constant) =>
    compared(25, {
      ...{ isCase: true, constant, times: 3, equal: constant === 3n ? 3 : 0 },
      pairs: [pair(constant, 3n, 3)],
    })
  ),
  { ...compared(3, {}), frames: [{ function: HOSTILE_NAME, file: "no/such_file.c", line: 3 }] },
];

const FILES = await reportFilesOf({ ...smallInput(), compared: PLACES });
const VALUES = reportValues(FILES);
let browser: Browser;
const folder = new ReportFolder();

before(async () => {
  for (const [path, text] of FILES) folder.write({ path, text });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  folder[Symbol.dispose]();
});

test("a source page has what was compared by line; one of a run without comparisons has not", async () => {
  const file = (VALUES.get("run") as RunData).files.path.indexOf("fs/pipe.c");
  assert.deepEqual((VALUES.get(`f${file}`) as FileData).compared, [
    { line: 20, text: "with 0x53, 4 bytes: 14 times, never equal: always 0x0", never: true },
    { line: 20, text: "with 0x1, 4 bytes: 2 times, always equal", never: false },
    { line: 25, text: "switch, 4 bytes: 3 times; taken: 0x3 ×3; never: 0x4", never: true },
  ]);
  const without = reportValues(await reportFilesOf(smallInput()));
  assert.ok(!("compared" in (without.get(`f${file}`) as FileData)));
});

test("the panel of a line and the list of a file show comparisons", async () => {
  const options = { root: folder.path };
  await using report = await openReportPage(browser, "#/file/fs/pipe.c?line=20", options);
  const { page } = report;
  await page.locator(".panel .compared li").nth(1).waitFor();
  assert.deepEqual(await page.locator(".panel .compared li").allInnerTexts(), [
    "with 0x53, 4 bytes: 14 times, never equal: always 0x0",
    "with 0x1, 4 bytes: 2 times, always equal",
  ]);
  await page.getByText("Comparisons: 3, of which 2 were never satisfied").click();
  const rows = page.locator('table[aria-label="Comparisons"] tbody tr');
  await rows.nth(2).waitFor();
  assert.equal(await rows.count(), 3);
  await page.locator('table[aria-label="Comparisons"]').getByRole("button", { name: "25" }).click();
  await page.locator(".panel .compared li", { hasText: "switch" }).waitFor();
  assert.deepEqual(await page.locator(".panel .compared li").allInnerTexts(), [
    "switch, 4 bytes: 3 times; taken: 0x3 ×3; never: 0x4",
  ]);
  await report.go("#/file/fs/pipe.c?line=10");
  assert.equal(await page.locator(".panel .compared").count(), 0);
  assert.deepEqual(report.complaints, []);
});
