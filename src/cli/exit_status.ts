/** The command line was wrong. */
export const EXIT_USAGE = 2;
/** Coverage could not be had: no KCOV, no image, or an image of another kernel. */
export const EXIT_NO_COVERAGE = 3;
/** Fewer lines are covered than `--min-lines` asks for. */
export const EXIT_BELOW_THRESHOLD = 4;
