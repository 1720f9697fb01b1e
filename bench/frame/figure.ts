/** Values of one figure, in the order taken, without the run to warm up. */
export interface Samples {
  readonly values: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What a figure is held against: `isMet` is for the median. */
export interface Bar {
  readonly text: string;
  readonly isMet: boolean;
}

/** One line of a bench. */
export interface Figure extends Samples {
  /** Part of the bench, and what was measured. */
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  /** The figure over its floor, run by run (both were taken in turn): median, min and max; null where there is no floor. */
  readonly ratio: Samples | null;
  readonly bar: Bar | null;
  /** What a reader has to know of this figure; null for nothing. */
  readonly note: string | null;
}

/** Sorts out median, min and max. NaN for each where there are no values. */
function samplesOf(values: readonly number[]): Samples {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { values, median, min: at(0), max: at(sorted.length - 1) };
}

/** A figure; the rest is null unless it is given. */
export function figure(
  part: string,
  name: string,
  unit: string,
  values: readonly number[],
  more: Partial<Pick<Figure, 'ratio' | 'bar' | 'note'>> = {},
): Figure {
  return { part, name, unit, ...samplesOf(values), ratio: null, bar: null, note: null, ...more };
}

/** `values` over `floors`, run by run: noise that lasts longer than a run cancels out. */
export function ratioOf(values: readonly number[], floors: readonly number[]): Samples {
  return samplesOf(values.map((value, index) => value / (floors[index] ?? Number.NaN)));
}

/** A bar from below: at least `wanted`. */
export function atLeast(value: number, wanted: number, what = ''): Bar {
  return { text: `>= ${String(wanted)}${what}`, isMet: value >= wanted };
}
/** The value below which the share `p` (0 to 1) of the values lies, by nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

/** A bar from above: under `limit`. */
export function under(value: number, limit: number, what = ''): Bar {
  return { text: `< ${String(limit)}${what}`, isMet: value < limit };
}
