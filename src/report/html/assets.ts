/** The files of a report that are the same in every one. */
export interface HtmlAssets {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/** The modules of `browser/`, each after those it imports. */
const BROWSER_MODULES = [
  "set_codec.js",
  "data.js",
  "text.js",
  "elements.js",
  "table.js",
  "chart_layout.js",
  "charts.js",
  "builds_chart.js",
  "c_tokens.js",
  "line_states.js",
  "pages/overview_page.js",
  "calls/call_names.js",
  "source_panel.js",
  "source_lines.js",
  "compared/compared_list.js",
  "pages/source_page.js",
  "pages/tests_page.js",
  "test_lines.js",
  "calls/calls_table.js",
  "pages/test_page.js",
  "pages/compare_page.js",
  "pages/patch_page.js",
  "pages/find_page.js",
  "main.js",
] as const;

/** The parts of the style sheet, in their order. */
const STYLES = ["theme.css", "frame.css", "pages.css", "source.css", "small_screens.css"];

/** Reads the assets, which are files beside this one so that they are checked, tested and edited as what they are. */
export async function loadAssets(): Promise<HtmlAssets> {
  const modules = await Promise.all(BROWSER_MODULES.map(loadText));
  const styles = await Promise.all(STYLES.map(loadText));
  return {
    html: await loadText("index.html"),
    script: joinModules(modules),
    style: styles.join("\n"),
  };
}

async function loadText(name: string): Promise<string> {
  const module: { default: string } = await import(`./browser/${name}`, {
    with: { type: "text" },
  });
  return module.default;
}

/**
 * Joins modules into one script, since a page opened from `file://` may not load modules. They share one scope,
 * so that no two may declare the same name.
 */
export function joinModules(modules: readonly string[]): string {
  const bodies = modules.map((text) =>
    text.replace(/^import [^;]*;\n/gm, "").replace(
      /^export (?=(?:async )?function|const|class)/gm,
      "",
    )
      .replace(/^\/\/ @ts-check\n|^\/\/\/ <reference [^>]*>\n/gm, "")
  );
  return `"use strict";\n(() => {\n${bodies.join("\n")}\n})();\n`;
}
