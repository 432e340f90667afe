/** Bytes of the call instruction: from a point to the return address that the kernel records. */
export const CALL_LENGTH: Readonly<Record<"x86-64" | "arm64", number>> = { "x86-64": 5, arm64: 4 };
