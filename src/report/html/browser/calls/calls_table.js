// @ts-check
/// <reference lib="dom" />
/** @import { CallData } from "../../report_data.ts" */

import { announce, element, heading } from "../elements.js";
import { decodeSet } from "../set_codec.js";
import { sortableTable } from "../table.js";
import { count, plural } from "../text.js";

/** What the calls of a test are of, by the names that the data has. */
const PARTS = /** @type {const} */ ({
  calls: "System calls",
  faults: "Page faults",
  behalf: "On its behalf",
  runtime: "Runtime threads",
});

/** Called with the lines that were chosen and what they are, or with nothing where all are wanted.
 *
 * @callback OnChoose
 * @param {{ lines: number[], what: string }} [chosen]
 */

/**
 * What a test ran by call and on its behalf: a table, and buttons that choose a part or a row of it.
 *
 * @param {readonly CallData[]} calls
 * @param {readonly number[]} lines Of the test.
 * @param {OnChoose} onChoose
 */
export function callsTable(calls, lines, onChoose) {
  const rows = calls.map((call) => ({
    ...call,
    ids: decodeSet(call.lines).map((place) => lines[place]),
  }));
  /** @type {Map<HTMLElement, () => void>} */
  const buttons = new Map();
  /** @type {HTMLElement | undefined} */
  let pressed;

  /**
   * @param {string} label
   * @param {string} className
   * @param {readonly typeof rows[number][] | undefined} some
   * @param {string} what
   */
  function chooser(label, className, some, what) {
    const button = element("button", {
      type: "button",
      class: className,
      "aria-pressed": "false",
      click: () => choose(pressed === button ? all : button),
    }, label);
    buttons.set(button, () => {
      if (some === undefined) onChoose();
      else {
        const ids = [...new Set(some.flatMap((row) => row.ids))].sort((a, b) => a - b);
        onChoose({ lines: ids, what });
      }
      announce(`Functions reached: ${what}`);
    });
    return button;
  }

  /** @param {HTMLElement} button */
  function choose(button) {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = button;
    button.setAttribute("aria-pressed", "true");
    buttons.get(button)?.();
  }

  const all = chooser("All", "toggle", undefined, "all");
  const parts = /** @type {(keyof typeof PARTS)[]} */ (Object.keys(PARTS)).flatMap((part) => {
    const some = rows.filter((row) => row.part === part);
    return some.length === 0 ? [] : [chooser(PARTS[part], "toggle", some, PARTS[part])];
  });
  const names = new Map(rows.map((row) => [row, chooser(row.name, "linkish", [row], row.name)]));
  pressed = all;
  all.setAttribute("aria-pressed", "true");
  return [
    heading(
      "System calls",
      "what the test ran through each, in the order of first run, and on its behalf; choose one to see its functions below",
    ),
    element(
      "div",
      { class: "tools" },
      all,
      ...parts,
      element("span", { class: "shown" }, plural(rows.length, "row")),
    ),
    sortableTable({
      label: "System calls",
      rows,
      columns: [
        {
          label: "Call",
          head: true,
          key: ({ name }) => name,
          cell: (row) => names.get(row),
        },
        {
          label: "Kind",
          class: "optional",
          key: ({ part }) => Object.keys(PARTS).indexOf(part),
          cell: ({ part }) => PARTS[/** @type {keyof typeof PARTS} */ (part)],
        },
        {
          label: "Functions",
          numeric: true,
          key: ({ functions }) => functions,
          cell: ({ functions }) => count(functions),
        },
        {
          label: "Lines",
          numeric: true,
          key: ({ ids }) => ids.length,
          cell: ({ ids }) => count(ids.length),
        },
        {
          label: "Points",
          numeric: true,
          key: ({ points }) => points,
          cell: ({ points }) => count(points),
        },
      ],
    }).view,
  ];
}
