/// <reference lib="dom" />
import type { Browser, Page } from "playwright-core";
import { complaintsOf } from "./chromium.ts";

/** A page of the report with all it complained about. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[];
  go(hash: string): Promise<void>;
}

/** How to open a page. */
export interface OpenOptions {
  colorScheme?: "light" | "dark";
  width?: number;
  /** Folder of the report. */
  root?: string;
}

/** Opens a page of the report in the folder `root`, and waits until it is there. */
export async function openReportPage(
  browser: Browser,
  hash: string,
  { colorScheme = "light", width = 1200, root }: OpenOptions & { readonly root: string },
): Promise<OpenPage> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = complaintsOf(page);
  const ready = async (): Promise<void> => {
    await page.waitForSelector("main:not([aria-busy]) h1");
  };
  await page.goto(`file://${root}/index.html${hash}`);
  await ready();
  return {
    page,
    complaints,
    async go(next) {
      await page.evaluate((to) => location.hash = to, next);
      await page.waitForFunction((to) => location.hash === to, next);
      await ready();
    },
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
