/** What a soak did and found. */
export interface SoakResult {
  readonly seed: number;
  readonly minutes: number;
  /** How long it took, checks included, ms. */
  readonly elapsedMs: number;
  readonly injected: ReadonlyMap<string, number>;
  readonly sent: ReadonlyMap<string, number>;
  readonly statuses: ReadonlyMap<string, number>;
  readonly differences: readonly string[];
  /** How often I1 to I5 were looked at under way, before the comparison at the end. */
  readonly looks: number;
  /** Where what the consumers said is kept; null where nothing differs. */
  readonly logs: string | null;
}

/** So many differences are shown. */
const SHOWN = 40;

const count = (value: number): string => value.toLocaleString('en-US');
const total = (counts: ReadonlyMap<string, number>): string =>
  count([...counts.values()].reduce((a, b) => a + b, 0));

function list(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([what, times]) => `  ${count(times).padStart(9)}  ${what}`).join('\n');
}

/** The last lines of a soak: what was sent, what became of it, what was injected how often, and how many differences. */
export function renderResult(result: SoakResult): string {
  const { seed, minutes, elapsedMs, injected, sent, statuses, differences, looks, logs } = result;
  const shown = differences.slice(0, SHOWN).map((difference) => `✗ ${difference}`);
  const more = differences.length > SHOWN ? [`  and ${count(differences.length - SHOWN)} more`] : [];
  const end =
    differences.length === 0
      ? [
          `0 differences: I1 to I5 held in ${count(looks)} looks under way and at the end, the table is the fold of the log, ` +
            `and users whose events are in order are as the plain model says (seed ${String(seed)})`,
        ]
      : [
          `${count(differences.length)} differences; what the consumers said is in ${logs ?? '-'}`,
          `Repeat it: npm run soak -- --seed ${String(seed)} --minutes ${String(minutes)}`,
        ];
  return [
    ...shown,
    ...more,
    `Sent ${total(sent)} records:`,
    list(sent),
    `Decided, ${total(statuses)}:`,
    list(statuses),
    `Injected ${total(injected)} faults in ${String(minutes)} minutes, ${String(Math.round(elapsedMs / 1000))} s with the checks:`,
    list(injected),
    ...end,
    '',
  ].join('\n');
}
