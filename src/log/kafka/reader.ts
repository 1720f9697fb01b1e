import type { ReadRange, RecordBatch } from '../event-log.ts';
import type { KafkaAdmin } from './admin.ts';
import { isTransient, translateError, type Destination } from './errors.ts';
import { FetchSession, type Cursor } from './fetch-session.ts';
import { outOfRange } from './out-of-range.ts';
import { isNotReady, waitMs, waitOrEnd, withDeadline } from './patience.ts';
import type { KafkaSettings } from './settings.ts';
import { isTopicGone } from './topic-gone.ts';

export interface ReadSource {
  readonly settings: KafkaSettings;
  readonly to: Destination;
  readonly admin: KafkaAdmin;
}

/** How long a reader that is not to follow goes on without an answer, ms. */
const SHORT_PATIENCE_MS = 1_500;

/**
 * Reads ranges without a group: as the port's `read` says. While the caller handles a batch the next ones are under
 * way. Ends, without an error, when `ends` aborts. Without `follow` a range ends at the last stable offset of its
 * first answer: behind it lie open transactions.
 */
export async function* readRanges(
  source: ReadSource,
  ranges: readonly ReadRange[],
  follow: boolean,
  ends: AbortSignal,
): AsyncGenerator<RecordBatch, void> {
  const cursors = new Map<number, Cursor>();
  for (const { partition, from, to } of ranges) {
    if (to !== undefined && to <= from) continue;
    cursors.set(partition, { partition, next: from, to, isUnbound: !follow });
  }
  const retries = new Retries(source, follow || source.settings.patience === 'long');
  while (cursors.size > 0 && !ends.aborted) {
    const session = new FetchSession(source.settings, cursors, follow);
    const breakOff = () => {
      session.close();
    };
    ends.addEventListener('abort', breakOff, { once: true });
    try {
      await withDeadline(() => session.open(), source.to);
      for await (const batches of session.answers()) {
        retries.answered();
        for (const batch of batches) {
          if (isAborted(ends)) return;
          yield batch;
        }
      }
    } catch (error) {
      if (isAborted(ends)) return;
      if (!(await retries.goOnAfter(error, ends))) throw await explained(source, cursors, error);
      await waitOrEnd(retries.waitMs, ends, source.to).catch(() => undefined);
    } finally {
      ends.removeEventListener('abort', breakOff);
      session.close();
    }
  }
}

/** Whether a failure is ridden out. */
class Retries {
  readonly #source: ReadSource;
  readonly #isPatient: boolean;
  readonly #start = performance.now();
  #failures = 0;
  #lastAnswer = -Infinity;

  constructor(source: ReadSource, isPatient: boolean) {
    this.#source = source;
    this.#isPatient = isPatient;
  }

  get waitMs(): number {
    return waitMs(this.#failures);
  }

  answered(): void {
    this.#failures = 0;
    this.#lastAnswer = performance.now();
  }

  async goOnAfter(error: unknown, ends: AbortSignal): Promise<boolean> {
    this.#failures += 1;
    const { admin, to } = this.#source;
    if (!isTransient(error)) {
      const isTopicMissing = translateError(error, to).code === 'TOPIC_NOT_FOUND';
      // A topic that was read from a moment ago: a broker that has just started may not know it yet.
      const mayBeLate = isTopicMissing && this.#isPatient && this.#lastAnswer > 0;
      return mayBeLate && !(await isTopicGone(admin, to, ends));
    }
    // The first connection has been tried again by kafkajs already; a broker that answers may need a moment.
    const since = isNotReady(error) ? Math.max(this.#start, this.#lastAnswer) : this.#lastAnswer;
    return this.#isPatient || performance.now() - since < SHORT_PATIENCE_MS;
  }
}

/** Asked anew: the compiler keeps what an earlier look at `aborted` told. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function explained(source: ReadSource, cursors: ReadonlyMap<number, Cursor>, error: unknown) {
  const translated = translateError(error, source.to);
  if (translated.code !== 'OFFSET_OUT_OF_RANGE' || translated === error) return translated;
  return outOfRange(source.admin, source.to, (partition) => cursors.get(partition)?.next, error);
}
