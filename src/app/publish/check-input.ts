import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Prepared, Reject } from './prepare-line.ts';
import type { ReadGroup } from './read-lines.ts';

/** Rejects and events that are kept for showing; the rest is counted. */
const SHOWN_REJECTS = 100;
const PREVIEWED = 5;

/** What a whole input holds. */
export interface Checked {
  readonly good: number;
  readonly rejected: number;
  /** The first `SHOWN_REJECTS` of them. */
  readonly rejects: readonly Reject[];
  readonly operations: ReadonlyMap<string, number>;
  /** The first few events. */
  readonly preview: readonly Prepared[];
}

/** Reads all of an input, from line `skipLines` + 1 on counting what would be sent. Sends nothing. */
export async function checkInput(
  groups: AsyncIterable<ReadGroup>,
  skipLines: number,
  onProgress: (checkedLines: number) => void,
): Promise<Checked> {
  const operations = new Map<string, number>();
  const rejects: Reject[] = [];
  const preview: Prepared[] = [];
  let good = 0;
  let rejected = 0;
  for await (const { lines } of groups) {
    for (const { prepared, reject } of lines) {
      if (reject !== undefined) {
        rejected += 1;
        if (rejects.length < SHOWN_REJECTS) rejects.push(reject);
      } else if (prepared.line > skipLines) {
        good += 1;
        const operation = prepared.operation ?? 'ignored';
        operations.set(operation, (operations.get(operation) ?? 0) + 1);
        if (preview.length < PREVIEWED) preview.push(prepared);
      }
    }
    onProgress(good + rejected);
  }
  return { good, rejected, rejects, operations, preview };
}

/** The error of an input with rejects, of which nothing was sent. */
export function inputInvalid({ good, rejected, rejects }: Checked): UserEventsError {
  const all = good + rejected;
  const named = rejects.slice(0, 20).map(({ line, reason }) => `line ${String(line)}: ${reason}`);
  const more = rejected - named.length;
  const message = [
    `${String(rejected)} of ${String(all)} lines cannot be sent; 0 events sent`,
    ...named,
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ].join('\n');
  return new UserEventsError('INPUT_INVALID', message, { facts: { sent: 0, rejected, rejects } });
}
