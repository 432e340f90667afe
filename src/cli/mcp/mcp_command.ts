import { type Command, parseCommandLine, UsageError } from "../command_line.ts";

/** `kernelcov mcp`: tools for agents. */
export const mcpCommand: Command = {
  help: `kernelcov mcp
    Serves kernelcov's tools to an agent over standard input and output, by the Model Context Protocol: run tests, list
    them, which tests run a line or a function, what a test reached, which tests a change needs, whether a change is
    covered. Answers are those of --json, cut to a size that the agent can choose. It needs two packages beside
    kernelcov's: npm install --save-dev @modelcontextprotocol/sdk zod
`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { operands, command } = parseCommandLine(args, {});
  const [extra] = [...operands, ...command];
  if (extra !== undefined) {
    throw new UsageError(`Unexpected "${extra}": tools take their arguments from the client`);
  }
  const { serveStdio } = await loadServer();
  await serveStdio();
  return 0;
}

async function loadServer(): Promise<typeof import("./mcp_server.ts")> {
  try {
    return await import("./mcp_server.ts");
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (!/@modelcontextprotocol|\bzod\b/.test(message)) throw cause;
    throw new TypeError(
      "The packages of the Model Context Protocol are missing: npm install --save-dev @modelcontextprotocol/sdk zod",
      { cause },
    );
  }
}
