/// <reference lib="dom" />
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../../_support/chromium.ts";
import { type OpenOptions, type OpenPage, openReportPage } from "../../_support/html_page.ts";
import {
  HOSTILE_NAME,
  reportFilesOf,
  ReportFolder,
  smallInput,
} from "../../_support/html_report.ts";

let browser: Browser;
const folder = new ReportFolder();

before(async () => {
  for (const [path, text] of await reportFilesOf(smallInput())) folder.write({ path, text });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  folder[Symbol.dispose]();
});

function open(hash: string, options: OpenOptions = {}): Promise<OpenPage> {
  return openReportPage(browser, hash, { root: folder.path, ...options });
}

/** Texts of the cells that name the rows of a table. */
function rowNames(page: Page, table: string): Promise<string[]> {
  return page.locator(`table[aria-label="${table}"] tbody th a`).allTextContents();
}

test("the first page names each denominator, the kernel and what is left out", async () => {
  await using report = await open("");
  const text = await report.page.locator("main").innerText();
  assert.match(text, /\d+ of \d+ lines with coverage points/);
  assert.match(text, /\d+ of \d+ functions with coverage points/);
  assert.match(text, /\d+ of \d+ coverage points in the image/);
  assert.match(text, /6\.12\.0-test/);
  assert.match(text, /0123456789abcdef/);
  assert.match(text, /1 failed/);
  assert.match(text, /What these numbers leave out/);
  assert.deepEqual(report.complaints, []);
});

test("the table of folders sorts, filters and hides what was not hit", async () => {
  await using report = await open("");
  const { page } = report;
  assert.deepEqual(await rowNames(page, "Folders and files"), ["fs/", "include/", "net/"]);
  const missed = page.getByRole("button", { name: "Missed" });
  await missed.click();
  const count = page.locator("th[aria-sort]");
  assert.equal(await count.getAttribute("aria-sort"), "descending");
  const descending = await rowNames(page, "Folders and files");
  await missed.click();
  assert.equal(await count.getAttribute("aria-sort"), "ascending");
  assert.deepEqual((await rowNames(page, "Folders and files")).toReversed(), descending);
  assert.equal(descending[0], "net/");

  await page.getByRole("searchbox", { name: "Filter files by path" }).fill("pipe");
  await page.getByText("1 of 3 rows").waitFor();
  assert.deepEqual(await rowNames(page, "Folders and files"), ["fs/pipe.c"]);
  await page.getByRole("searchbox", { name: "Filter files by path" }).fill("");
  await page.getByText("3 rows", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Hide 100 %" }).click();
  assert.deepEqual((await rowNames(page, "Folders and files")).sort(), ["fs/", "net/"]);
  assert.deepEqual(report.complaints, []);
});

test("a folder's page and a file's count functions and lines as the tables do", async () => {
  await using report = await open("#/dir/fs");
  const { page } = report;
  const facts = await page.locator(".file-facts").innerText();
  assert.match(facts, /Lines\s+\d+\.\d %\s*8 \/ 10\s+Functions\s+4 \/ 4\s+Files\s+1\s+Tests\s+3/);
  await report.go("#/file/fs/pipe.c");
  assert.match(await page.locator(".file-facts").innerText(), /Functions\s+4 \/ 4/);
  assert.match(await page.locator(".functions summary").innerText(), /Functions: 4 of 4 entered/);
  assert.deepEqual(report.complaints, []);
});

test("treemap and table lead to a file's source", async () => {
  await using report = await open("");
  const { page } = report;
  const tiles = page.getByRole("navigation", { name: /^Treemap/ }).locator(".outer > a");
  assert.equal(await tiles.count(), 3);
  await page.locator("table").getByRole("link", { name: "fs/" }).click();
  await page.getByRole("link", { name: "pipe.c" }).first().click();
  await page.locator(".line").first().waitFor();
  assert.equal(await page.title(), "fs/pipe.c · Small run");
  assert.equal(await page.locator(".line").count(), 60);
  assert.equal(await page.locator("#L25 code").innerText(), '\tline_25("x", 0);');
  assert.equal(await page.locator("#L4 .comment").innerText(), " two lines */");
  assert.deepEqual(report.complaints, []);
});

test("a line shows its state and its number of tests, and a click its tests", async () => {
  await using report = await open("#/file/fs/pipe.c");
  const { page } = report;
  for (
    const [line, state, tests] of [
      [20, "all", "3"],
      [21, "all", "3"],
      [12, "none", "0"],
      [22, "blank", ""],
      [51, "unknown", "?"],
    ] as const
  ) {
    const row = page.locator(`#L${line}`);
    assert.match(
      await row.getAttribute("class") ?? "",
      new RegExp(`\\b${state}\\b`),
      `line ${line}`,
    );
    assert.equal(await row.locator(".tests").innerText(), tests, `line ${line}`);
  }
  await page.locator("#L21 code").click();
  const panel = page.getByRole("complementary", { name: "Line 21" });
  await panel.waitFor();
  assert.match(await panel.innerText(), /3 tests/);
  assert.deepEqual(await panel.locator("tbody th a").allTextContents(), [
    "pipe > writes",
    "pipe > writes",
    HOSTILE_NAME,
  ]);
  // Two points claim the line; the repeat hit one of them.
  assert.match(await panel.locator("tbody tr").first().innerText(), /passed\s+11 ms\s+1 of 2/);
  assert.match(await panel.locator("tbody tr").last().innerText(), /failed\s+1\.50 s\s+2 of 2/);
  assert.equal(new URL(page.url()).hash, "#/file/fs/pipe.c?line=21");
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  assert.deepEqual(report.complaints, []);
});

test("n and p go through the uncovered parts, arrows through the lines", async () => {
  await using report = await open("#/file/net/socket.c");
  const { page } = report;
  const current = (): Promise<string | null> => page.locator(".line.current").getAttribute("id");
  const visited: (string | null)[] = [];
  for (const key of ["n", "n", "n", "n", "p", "ArrowUp", "ArrowUp", "ArrowDown"]) {
    await page.keyboard.press(key);
    visited.push(await current());
  }
  assert.deepEqual(visited, ["L5", "L20", "L30", "L30", "L20", "L5", "L4", "L5"]);
  assert.equal(await page.evaluate(() => document.activeElement?.closest(".line")?.id), "L5");
  assert.deepEqual(report.complaints, []);
});

test("a file without its source shows line numbers and functions", async () => {
  await using report = await open("#/file/net/socket.c");
  const { page } = report;
  assert.match(await page.locator(".file-facts").innerText(), /source was not at hand/);
  assert.equal(await page.locator(".line").count(), 5);
  assert.equal(await page.locator("#L3 code").innerText(), "sock_read");
  assert.match(await page.locator("#L30").getAttribute("class") ?? "", /never/);
  assert.deepEqual(report.complaints, []);
});

test("a test page shows the functions reached, lines of its own and similar tests", async () => {
  await using report = await open("#/tests");
  const { page } = report;
  await page.getByRole("link", { name: HOSTILE_NAME, exact: true }).click();
  await page.getByText("Most similar tests").waitFor();
  assert.match(await page.locator("h1").innerText(), /<script>alert\("1"\)<\/script>/);
  const functions = await rowNames(page, "Functions reached");
  assert.ok(functions.includes("pipe_read") && functions.includes("get_page"), String(functions));
  assert.deepEqual(await rowNames(page, "Lines that only this test ran"), [
    "pipe_read",
    "pipe_write",
    "get_page",
  ]);
  assert.equal((await rowNames(page, "Most similar tests")).length, 2);
  const icicle = page.getByRole("group", { name: /^Icicle/ });
  await icicle.getByRole("button", { name: /^fs\/pipe\.c|^pipe\.c/ }).click();
  await icicle.getByRole("link", { name: /^pipe_read/ }).click();
  await page.locator(".overlay .line.mine").first().waitFor();
  assert.match(await page.locator("#L40").getAttribute("class") ?? "", /mine/);
  assert.match(await page.locator("#L10").getAttribute("class") ?? "", /other/);
  assert.deepEqual(report.complaints, []);
});

test("two tests can be chosen and compared", async () => {
  await using report = await open("#/test/0");
  const { page } = report;
  await page.getByRole("link", { name: /Compare with another test/ }).click();
  await page.getByRole("link", { name: `Compare with ${HOSTILE_NAME}`, exact: true }).click();
  await page.getByText("Two tests compared").waitFor();
  assert.deepEqual((await rowNames(page, "Functions that differ")).sort(), [
    "__do_sys_pipe2, __x64_sys_pipe2",
    "get_page",
    "pipe_read",
    "pipe_write",
  ]);
  const facts = await page.locator("main .facts").innerText();
  assert.match(
    facts,
    /Lines only the first ran\s+2\s+Lines both ran\s+4\s+Lines only the second ran\s+5/,
  );
  await page.getByRole("link", { name: "pipe_write" }).click();
  await page.locator(".overlay").waitFor();
  const classes = async (line: number): Promise<string> =>
    await page.locator(`#L${line}`).getAttribute("class") ?? "";
  assert.match(await classes(20), /both/);
  assert.match(await classes(26), /mine/);
  assert.match(await classes(25), /theirs/);
  assert.deepEqual(report.complaints, []);
});

test("the patch page shows each hunk with its state, its tests and the code", async () => {
  await using report = await open("");
  const { page } = report;
  await page.getByRole("link", { name: "Patch" }).click();
  await page.getByText("What the patch needs").waitFor();
  assert.deepEqual(
    await page.locator(".hunk header .badge").allTextContents(),
    ["covered", "uncovered", "not built", "run all tests"],
  );
  assert.match(await page.locator(".banner.warn").innerText(), /Run all tests[^]*init\/Kconfig/);
  assert.equal((await rowNames(page, "Tests to run")).length, 2);
  assert.match(await page.locator(".hunk").first().innerText(), /\+\tline_21\("<b>", 1\);/);
  await page.locator(".hunk").first().getByRole("link", { name: "21", exact: true }).click();
  await page.getByRole("complementary", { name: "Line 21" }).waitFor();
  assert.deepEqual(report.complaints, []);
});

test("the search finds functions, files and tests, and goes to FILE:LINE", async () => {
  await using report = await open("");
  const { page } = report;
  await page.keyboard.press("/");
  await page.keyboard.type("pipe");
  await page.keyboard.press("Enter");
  await page.getByText("Found for").waitFor();
  assert.deepEqual(await rowNames(page, "Functions"), [
    "__do_sys_pipe2, __x64_sys_pipe2",
    "pipe_write",
    "pipe_read",
  ]);
  assert.deepEqual(await rowNames(page, "Files"), ["fs/pipe.c"]);
  assert.deepEqual(await rowNames(page, "Tests"), ["pipe > writes", "pipe > writes"]);
  await report.go("#/find/pipe.c%3A25");
  await page.locator('table[aria-label="Files"] a').click();
  await page.getByRole("complementary", { name: "Line 25" }).waitFor();
  assert.deepEqual(report.complaints, []);
});

test("addresses of no page and of no file say so", async () => {
  await using report = await open("#/test/99");
  assert.match(await report.page.locator("main").innerText(), /There is no such page/);
  await report.go("#/compare/0/x");
  assert.match(await report.page.locator("main").innerText(), /There is no such page/);
  await report.go("#/file/fs/nothing.c");
  assert.match(await report.page.locator("main").innerText(), /no coverage points in this file/);
  await report.go("#/dir/%");
  assert.match(await report.page.locator("main").innerText(), /No file of the image/);
  assert.deepEqual(report.complaints, []);
});

test("a data file that was not copied is named", async () => {
  using partial = new ReportFolder();
  for (const [path, text] of await reportFilesOf(smallInput())) partial.write({ path, text });
  rmSync(join(partial.path, "data/f0.js"));
  await using report = await open("#/file/fs/pipe.c", { root: partial.path });
  assert.match(await report.page.locator("main").innerText(), /data\/f0\.js is missing: copy/);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`all text is legible in the ${colorScheme} theme`, async () => {
    await using report = await open("#/file/fs/pipe.c", { colorScheme });
    // Ratio of WCAG 2: 4.5 for text of this size.
    const poor = await report.page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      function luminance(name: string): number {
        probe.style.color = `var(--${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g)!.slice(0, 3)
          .map((part) => Number(part) / 255)
          .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
      }
      const tints = ["panel", "all", "some", "none", "mine", "theirs", "both", "added", "removed"];
      const pairs = [
        ...["ink", "soft", "accent", "good", "bad", "warn"].flatMap((text) =>
          ["page", "panel", "hover"].map((ground) => [text, ground])
        ),
        ...["ink", "soft", "comment", "string", "keyword", "type", "constant", "call"].flatMap((
          text,
        ) => tints.map((ground) => [text, ground])),
        ...["low", "high", "zero"].map((ground) => ["ink", ground]),
      ];
      return pairs.map(([text, ground]) => {
        const [a, b] = [luminance(text!), luminance(ground!)].sort((x, y) => y - x);
        return { pair: `${text} on ${ground}`, ratio: (a! + 0.05) / (b! + 0.05) };
      }).filter(({ ratio }) => ratio < 4.5);
    });
    assert.deepEqual(poor, []);
  });
}

test("the theme button goes from the system's colours to light to dark and back", async () => {
  await using report = await open("", { colorScheme: "dark" });
  const { page } = report;
  const ground = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const system = await ground();
  await page.getByRole("button", { name: "Colours: auto" }).click();
  assert.notEqual(await ground(), system);
  await page.getByRole("button", { name: "Colours: light" }).click();
  assert.equal(await ground(), system);
  await page.getByRole("button", { name: "Colours: dark" }).click();
  assert.equal(await ground(), system);
  assert.deepEqual(report.complaints, []);
});

test("numbers and counts stay when the source is scrolled sideways, and colours reach the end", async () => {
  using long = new ReportFolder();
  const input = smallInput();
  const readSource = (file: string): string | undefined =>
    input.readSource!(file)?.replace("line_25(", `\t${"wide_".repeat(80)}(`);
  for (const [path, text] of await reportFilesOf({ ...input, readSource })) {
    long.write({ path, text });
  }
  for (const width of [1200, 390]) {
    await using report = await open("#/file/fs/pipe.c", { root: long.path, width });
    const boxes = await report.page.evaluate(() => {
      const code = document.querySelector(".code")!;
      code.scrollLeft = 700;
      const left = code.getBoundingClientRect().left;
      const cells = [...document.querySelectorAll(".line .no, .line .tests")];
      return {
        scrolled: code.scrollLeft,
        // Within the border of the frame.
        offsets: new Set(cells.map((cell) =>
          Math.round(cell.getBoundingClientRect().left - left)
        )).size,
        first: Math.round(document.querySelector("#L25 .no")!.getBoundingClientRect().left - left),
        through: cells.filter((cell) =>
          /, 0\)|transparent$/.test(getComputedStyle(cell).backgroundColor)
        ).length,
        widths: [
          ...new Set([...document.querySelectorAll(".line")].map((line) => line.clientWidth)),
        ],
        inside: document.querySelector("#L25 code")!.scrollWidth,
        height: code.scrollHeight > code.clientHeight,
        last: code.scrollWidth,
      };
    });
    assert.equal(boxes.scrolled, 700);
    assert.equal(boxes.offsets, 2, "two columns, for all lines");
    assert.ok(boxes.first <= 1, `the number is at ${boxes.first}`);
    assert.equal(boxes.through, 0, "no source shows through");
    assert.equal(boxes.widths.length, 1, "all lines are as wide");
    assert.ok(boxes.widths[0] >= boxes.inside && boxes.widths[0] >= boxes.last - 2);
  }
});

test("a source page of one test opens at its first line, and keys go through its lines", async () => {
  await using report = await open("#/file/fs/pipe.c?test=1");
  const { page } = report;
  const current = (): Promise<string | null> => page.locator(".line.current").getAttribute("id");
  const visited = [await current()];
  for (const key of ["n", "n", "n", "p"]) {
    await page.keyboard.press(key);
    visited.push(await current());
  }
  assert.deepEqual(visited, ["L20", "L40", "L40", "L40", "L20"]);
  assert.match(
    await page.locator(".jump").innerText(),
    /Previous line of the test.*Next line of the test/s,
  );
  assert.deepEqual(report.complaints, []);
});

test("a test page begins with the functions that the fewest tests reach", async () => {
  await using report = await open("#/test/1");
  const { page } = report;
  assert.deepEqual(await rowNames(page, "Functions reached"), [
    "pipe_read",
    "get_page",
    "pipe_write",
  ]);
  const tests = page.locator('table[aria-label="Functions reached"] tbody td:last-child');
  assert.deepEqual(await tests.allTextContents(), ["1", "2", "3"]);
});

test("changed lines have colours of their own, and scores are explained", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await using report = await open("#/patch", { colorScheme });
    const { page } = report;
    const colors = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      const named = ["all", "some", "none", "panel"].map((name) => {
        probe.style.backgroundColor = `var(--${name})`;
        return getComputedStyle(probe).backgroundColor;
      });
      const of = (kind: string): string =>
        getComputedStyle(document.querySelector(`.diff .${kind} code`)!).backgroundColor;
      return { named, added: of("added"), removed: of("removed") };
    });
    assert.equal(new Set([...colors.named, colors.added, colors.removed]).size, 6);
    assert.match(
      await page.locator("main").innerText(),
      /Score: for each changed line that a test runs, 1/,
    );
  }
});

test("labels that do not fit end in an ellipsis, and short words do not break", async () => {
  await using report = await open("#/compare/0/1", { width: 390 });
  const { page } = report;
  for (const text of ["first", "second"]) {
    const box = await page.locator(".versus small", { hasText: text }).boundingBox();
    assert.ok(box!.height < 24, `${text} is ${box!.height} high`);
  }
  for (const box of await page.locator(".versus a", { hasText: "change" }).all()) {
    assert.ok((await box.boundingBox())!.height < 24);
  }
  await report.go("#/");
  const styles = await page.locator(".outer > a").evaluateAll((labels) =>
    labels.map((label) => {
      const { overflow, textOverflow, whiteSpace, display } = getComputedStyle(label);
      return `${overflow} ${textOverflow} ${whiteSpace} ${display}`;
    })
  );
  assert.deepEqual([...new Set(styles)], ["hidden ellipsis nowrap block"]);
});

test("no page is wider than a phone, and all controls have a name", async () => {
  await using report = await open("", { width: 390 });
  for (
    const hash of [
      "#/",
      "#/dir/fs",
      "#/file/fs/pipe.c",
      "#/tests",
      "#/test/1",
      "#/compare/0/1",
      "#/patch",
      "#/find/pipe",
    ]
  ) {
    await report.go(hash);
    const found = await report.page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      nameless: [...document.querySelectorAll("a[href], button, input")]
        .filter((control) => !(control.getAttribute("aria-label") || control.textContent?.trim()))
        .map((control) => control.outerHTML),
      headings: document.querySelectorAll("h1").length,
    }));
    assert.deepEqual(found, { width: 390, nameless: [], headings: 1 }, hash);
  }
  assert.deepEqual(report.complaints, []);
});

test("the keyboard alone reaches a line's tests from the first page", async () => {
  await using report = await open("");
  const { page } = report;
  await page.keyboard.press("Tab");
  assert.equal(
    await page.evaluate(() => document.activeElement?.textContent),
    "Skip to the content",
  );
  const focusOn = async (name: string): Promise<void> => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(() => document.activeElement?.textContent);
      if (text === name) return;
    }
    assert.fail(`${name} cannot be reached with the Tab key`);
  };
  await focusOn("fs/");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.title.startsWith("fs "));
  await focusOn("pipe.c");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.title.startsWith("fs/pipe.c"));
  await focusOn("2");
  assert.equal(await page.evaluate(() => document.activeElement?.closest(".line")?.id), "L10");
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: "Line 10" }).waitFor();
  assert.deepEqual(report.complaints, []);
});
