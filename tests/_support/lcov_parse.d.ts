declare module "lcov-parse" {
  /** Reads tracefile text or the file of that path. */
  export default function lcovParse(
    text: string,
    callback: (error: unknown, data: unknown) => void,
  ): void;
}
