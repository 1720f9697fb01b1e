import type { InputSource } from './input-source.ts';
import { KnownIds } from './known-ids.ts';
import { prepareLine, type EncodingContext, type Prepared, type Reject } from './prepare-line.ts';
import { splitLines, type RawLine } from './split-lines.ts';

/** What became of one line that is not blank. */
export type ReadLine =
  | { readonly raw: RawLine; readonly prepared: Prepared; readonly reject?: never }
  | { readonly raw: RawLine; readonly reject: Reject; readonly prepared?: never };

export interface LineReading {
  readonly runId: string;
  readonly encoding: EncodingContext;
}

/** Reads an input line by line; what belongs to one chunk comes together. Stops reading when `signal` aborts. */
export async function* readLines(
  source: InputSource,
  { runId, encoding }: LineReading,
  signal: AbortSignal,
): AsyncGenerator<readonly ReadLine[]> {
  const knownIds = new KnownIds();
  const { isChecked = false } = encoding;
  for await (const lines of splitLines(source.chunks())) {
    signal.throwIfAborted();
    const read: ReadLine[] = [];
    for (const raw of lines) {
      const checked = prepareLine(raw, runId, encoding);
      if (checked === null) continue;
      const reject = 'reason' in checked ? checked : isChecked ? null : idConflict(checked, knownIds);
      if (reject !== null) read.push({ raw, reject });
      else if (!('reason' in checked)) read.push({ raw, prepared: checked });
    }
    yield read;
  }
}

/**
 * Whether an explicit id stands for one thing alone: every consumer would fail the second event as EVENT_ID_REUSED. The
 * same event twice does nothing the second time.
 */
function idConflict({ line, record, eventId, type, hasOwnId }: Prepared, knownIds: KnownIds): Reject | null {
  if (!hasOwnId) return null;
  const isConflict = knownIds.add(eventId, [record.key, type, record.value]) === 'other';
  return isConflict ? { line, reason: 'its id belongs to another event of this input' } : null;
}
