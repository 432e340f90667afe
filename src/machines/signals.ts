import process from "node:process";

/** Has signals handled instead of ending this process. The result ends that. */
export function onSignals<Name extends NodeJS.Signals>(
  names: readonly Name[],
  handle: (name: Name) => void,
): () => void {
  const handler = (name: NodeJS.Signals): void => handle(name as Name);
  for (const name of names) process.on(name, handler);
  return () => {
    for (const name of names) process.off(name, handler);
  };
}
