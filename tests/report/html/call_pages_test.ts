/// <reference lib="dom" />
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { callsOfLines } from "../../../src/report/html/browser/calls/call_names.js";
import { FileView } from "../../../src/report/html/browser/line_states.js";
import { decodeSet } from "../../../src/report/html/browser/set_codec.js";
import type { FileData, RunData, TestChunk } from "../../../src/report/html/report_data.ts";
import { launchChromium } from "../../_support/chromium.ts";
import { type OpenOptions, type OpenPage, openReportPage } from "../../_support/html_page.ts";
import {
  reportFilesOf,
  ReportFolder,
  reportValues,
  smallInput,
  smallSource,
} from "../../_support/html_report.ts";
import { originRun } from "../../_support/images/origin_run.ts";

const FILES = await reportFilesOf({ coverage: originRun(), readSource: smallSource });
const VALUES = reportValues(FILES);
const RUN = VALUES.get("run") as RunData;
const TESTS = (VALUES.get("t0") as TestChunk).tests;

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

function open(hash: string, options: OpenOptions = {}): Promise<OpenPage> {
  return openReportPage(browser, hash, { root: folder.path, ...options });
}

/** The texts of the cells of a table, by row. */
function cells(page: Page, table: string): Promise<string[][]> {
  return page.locator(`table[aria-label="${table}"] tbody tr`).evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent ?? ""))
  );
}

test("a test's data has what it ran by call and on its behalf", () => {
  assert.deepEqual(RUN.tests.calls, [1, 1, 0]);
  assert.deepEqual(
    TESTS[1]!.calls!.map(({ part, name, functions, points, lines }) => [
      part,
      name,
      functions,
      points,
      decodeSet(lines).length,
    ]),
    [
      ["calls", "connect(2)", 3, 2, 3],
      ["behalf", "in softirq, for connect(2), close(2)", 3, 2, 4],
      ["behalf", "by a timer", 1, 1, 1],
    ],
  );
  const all = new Set(TESTS[1]!.calls!.flatMap(({ lines }) => decodeSet(lines)));
  assert.deepEqual(
    [...all].sort((a, b) => a - b),
    [...decodeSet(TESTS[1]!.lines).keys()],
  );
  assert.ok(!("calls" in TESTS[2]!));
  const leftOut = "left out: 1 point in runtime threads: --include runtime counts it";
  assert.deepEqual(TESTS.map((data) => data.leftOut), [leftOut, undefined, undefined]);
  assert.ok(RUN.notes.includes(leftOut));
});

test("a source page has for each line the calls that reach it", () => {
  const file = RUN.files.path.indexOf("fs/pipe.c");
  const data = VALUES.get(`f${file}`) as FileData;
  const view = new FileView(data);
  const of = (number: number): string[] | undefined => {
    const index = view.indexOf.get(number)!;
    return callsOfLines(data, index, index + 1);
  };
  assert.deepEqual(of(10), ["pipe2(2)", "connect(2)"]);
  assert.deepEqual(of(20), ["write(2)", "write(2), in a child process"]);
  assert.deepEqual(of(26), ["write(2)", "connect(2), in softirq", "close(2), in softirq"]);
  assert.deepEqual(of(40), []);
  assert.deepEqual(of(43), ["page fault, in a child process"]);
});

test("a report of a run without calls says nothing of them", async () => {
  const values = reportValues(await reportFilesOf(smallInput()));
  assert.ok(!("calls" in (values.get("run") as RunData).tests));
  assert.ok(!("calls" in (values.get("f0") as FileData)));
  for (const data of (values.get("t0") as TestChunk).tests) assert.ok(!("calls" in data));
  assert.equal(callsOfLines(values.get("f0") as FileData, 0, 1), undefined);
});

test("a test page lists the calls, and shows the functions of those that are chosen", async () => {
  await using report = await open("#/test/1");
  const { page } = report;
  assert.deepEqual(await cells(page, "System calls"), [
    ["connect(2)", "System calls", "3", "3", "2"],
    ["in softirq, for connect(2), close(2)", "On its behalf", "3", "4", "2"],
    ["by a timer", "On its behalf", "1", "1", "1"],
  ]);
  const functions = async (): Promise<string[]> =>
    (await cells(page, "Functions reached")).map(([name]) => name!).sort();
  const all = ["__do_sys_pipe2, __x64_sys_pipe2", "get_page", "pipe_write", "sock_read"];
  assert.deepEqual(await functions(), all);
  const pressed = (): Promise<string[]> =>
    page.locator('button[aria-pressed="true"]').allTextContents();
  assert.deepEqual(await pressed(), ["All"]);

  await page.getByRole("button", { name: "System calls", exact: true }).click();
  await page.getByRole("heading", { name: "Functions reached: System calls" }).waitFor();
  assert.deepEqual(await functions(), ["__do_sys_pipe2, __x64_sys_pipe2", "sock_read"]);
  await page.getByRole("button", { name: "by a timer" }).click();
  await page.getByRole("heading", { name: "Functions reached: by a timer" }).waitFor();
  assert.deepEqual(await functions(), ["sock_read"]);
  assert.deepEqual(await pressed(), ["by a timer"]);
  // Once more takes the choice back.
  await page.getByRole("button", { name: "by a timer" }).click();
  await page.getByRole("heading", { name: "Functions reached", exact: false }).waitFor();
  assert.deepEqual(await functions(), all);
  assert.deepEqual(await pressed(), ["All"]);

  // A choice outlives the table's order.
  await page.getByRole("button", { name: "On its behalf" }).click();
  await page.getByRole("button", { name: "Points" }).first().click();
  assert.deepEqual(await pressed(), ["On its behalf"]);
  assert.deepEqual(await functions(), ["get_page", "pipe_write", "sock_read"]);
  assert.deepEqual(report.complaints, []);
});

test("a test page says what does not count of the test", async () => {
  await using report = await open("#/test/0");
  await report.page.getByText("left out: 1 point in runtime threads").waitFor();
  assert.deepEqual(report.complaints, []);
});

test("a test page without calls has no part for them", async () => {
  await using report = await open("#/test/2");
  assert.equal(await report.page.locator('table[aria-label="System calls"]').count(), 0);
  assert.deepEqual((await cells(report.page, "Functions reached")).length, 2);
  assert.deepEqual(report.complaints, []);
});

test("the panel of a line or function says through which calls it is reached", async () => {
  await using report = await open("#/file/net/socket.c?line=5");
  const { page } = report;
  const names = page.locator(".panel .call-names");
  assert.equal(await names.innerText(), "Reached by connect(2), in softirq; by a timer");
  await report.go("#/file/net/socket.c?line=3");
  assert.equal(await names.innerText(), "Reached by connect(2); not known of 1 test");
  await report.go("#/file/fs/pipe.c?line=40");
  assert.equal(await names.count(), 0);
  await page.locator("#L25 button").click();
  await page.locator(".panel").getByRole("button", { name: "in pipe_write" }).click();
  assert.equal(await names.innerText(), "Reached by 4 calls");
  await names.locator("summary").click();
  assert.deepEqual(await names.locator("li").allInnerTexts(), [
    "write(2)",
    "write(2), in a child process",
    "connect(2), in softirq",
    "close(2), in softirq",
  ]);
  assert.deepEqual(report.complaints, []);
});

test("pages with calls are not wider than a phone, and their controls have names", async () => {
  await using report = await open("#/test/1", { width: 390 });
  for (const hash of ["#/test/1", "#/test/0", "#/file/fs/pipe.c?line=26"]) {
    await report.go(hash);
    const found = await report.page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      nameless: [...document.querySelectorAll("a[href], button, input, summary")]
        .filter((control) => !(control.getAttribute("aria-label") || control.textContent?.trim()))
        .map((control) => control.outerHTML),
    }));
    assert.deepEqual(found, { width: 390, nameless: [] }, hash);
  }
});
