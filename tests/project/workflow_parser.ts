/**
 * Parses GitHub workflows by GitHub's own parser, and prints one line of JSON for each file: its errors, and the number of steps
 * of each job. For Bun alone: Deno does not load the parser's schemas, which it imports as JSON without saying so.
 */
import {
  convertWorkflowTemplate,
  NoOperationTraceWriter,
  parseWorkflow,
} from "@actions/workflow-parser";
import { readFileSync } from "node:fs";
import process from "node:process";

for (const name of process.argv.slice(2)) {
  const file = { name, content: readFileSync(name, "utf8") };
  const { context, value } = parseWorkflow(file, new NoOperationTraceWriter());
  const template = value === undefined
    ? undefined
    : await convertWorkflowTemplate(context, value, undefined, {});
  const errors = [
    ...context.errors.getErrors().map(({ message }) => message),
    ...(template?.errors ?? []).map(({ Message }) => Message),
  ];
  const jobs = (template?.jobs ?? []).map((job) => [
    job.id.value,
    job.type === "job" ? job.steps.length : 0,
  ]);
  console.log(JSON.stringify({ errors: [...new Set(errors)], jobs: Object.fromEntries(jobs) }));
}
