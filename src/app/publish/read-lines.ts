import type { InputSource } from './input-source.ts';
import { KnownIds } from './known-ids.ts';
import { prepareLine, type EncodingContext, type Prepared, type Reject } from './prepare-line.ts';
import { splitLines, type RawLine } from './split-lines.ts';

/** What became of one line that is not blank. */
export type ReadLine =
  | { readonly prepared: Prepared; readonly reject?: never }
  | { readonly raw: RawLine; readonly reject: Reject; readonly prepared?: never };

/** Lines that came in one chunk of the input, in its order. */
export interface ReadGroup {
  readonly lines: readonly ReadLine[];
  /** Of the lines in the input. */
  readonly bytes: number;
}

export interface LineReading {
  readonly runId: string;
  readonly encoding: EncodingContext;
  /** The input was read before, and all of it was good: whether two lines have one id is not asked again. */
  readonly isChecked: boolean;
}

/** Reads an input line by line; what belongs to one chunk comes together. Stops reading when `signal` aborts. */
export async function* readLines(
  source: InputSource,
  { runId, encoding, isChecked }: LineReading,
  signal: AbortSignal,
): AsyncGenerator<ReadGroup> {
  const knownIds = new KnownIds();
  for await (const lines of splitLines(source.chunks())) {
    signal.throwIfAborted();
    const read: ReadLine[] = [];
    let bytes = 0;
    for (const raw of lines) {
      bytes += raw.bytes.length;
      const checked = prepareLine(raw, runId, encoding);
      if (checked === null) continue;
      const reject = 'reason' in checked ? checked : isChecked ? null : idConflict(checked, knownIds);
      if (reject !== null) read.push({ raw, reject });
      else if (!('reason' in checked)) read.push({ prepared: checked });
    }
    yield { lines: read, bytes };
  }
}

/**
 * Whether an explicit id stands for one thing alone: every consumer would fail the second event as EVENT_ID_REUSED. The
 * same event twice does nothing the second time.
 */
function idConflict(prepared: Prepared, knownIds: KnownIds): Reject | null {
  if (!prepared.hasOwnId) return null;
  const { line, record, eventId, type } = prepared;
  const isConflict = knownIds.add(eventId, [record.key, type, record.value]) === 'other';
  return isConflict ? { line, reason: 'its id belongs to another event of this input' } : null;
}
