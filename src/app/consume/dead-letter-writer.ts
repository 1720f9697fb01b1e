import { setTimeout as delay } from 'node:timers/promises';
import { deadLetterHeaders } from '../../domain/dead-letter-headers.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { LogRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { markWritten, readUnwritten, type UnwrittenLetter } from '../../postgres/sql/read-unwritten.ts';
import { placeName, readPlaces } from '../log/read-places.ts';
import { appendLetters, type DeadLetterRecord } from './append-letters.ts';
import type { FaultPoint } from './apply-events.ts';
import type { Assignment } from './assignment.ts';
import type { ConsumeOptions } from './consume-options.ts';
import type { Group } from './open-group.ts';
import { FencedError, Patience, StoppedError } from './patience.ts';

interface DeadLetterContext {
  readonly log: EventLog;
  /** The topic of dead letters. */
  readonly letters: EventLog;
  readonly database: Database;
  readonly group: Group;
  /** Our consumer group. */
  readonly groupName: string;
  /** The partitions that are ours now. */
  readonly partitions: () => readonly number[];
  readonly at: (point: FaultPoint) => Promise<void>;
  /** Told where it ends while the topic does not answer: what is unwritten is the next consumer's. */
  readonly onGivenUp: () => void;
}

/** Letters a write: what the ledger keeps of them, and their records, are held in memory. */
const PORTION = { letters: 200, bytes: 4 * 1024 * 1024 };
/** Whoever waits for a portion waits no longer: the topic is away, and the letters stay due. */
const PORTION_WITHIN_MS = 5_000;
/** What fails by another command's doing (a retry that releases parked events) is looked for so often. */
const LOOK_EVERY_MS = 5_000;

/**
 * Writes failed events to the topic of dead letters. What is to be written is what the ledger says: failed, and without
 * the mark that it was written. So a crash between commit and write loses none; one between write and mark writes it
 * twice, under one id. Beside the consumer: it waits for no letter.
 */
export class DeadLetterWriter {
  readonly #context: DeadLetterContext;
  readonly #patience: Patience;
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;
  #portion: Promise<unknown> = Promise.resolve();
  /** How many were written. */
  #portions = 0;
  #isGivenUp = false;
  readonly #timer: NodeJS.Timeout;
  #fail: (error: unknown) => void = () => undefined;
  /** Rejects with what ends the consumer: a topic that is gone or refuses. The next consumer makes it good. */
  readonly failed: Promise<never>;

  constructor(context: DeadLetterContext, patience: Patience) {
    this.#context = context;
    this.#patience = patience;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
    this.#timer = setInterval(() => {
      this.wake();
    }, LOOK_EVERY_MS);
  }

  /** Something may have failed: look, once what is under way is done. */
  wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#writing = this.#writing
      .then(() => {
        this.#isDue = false;
        return this.#write();
      })
      .catch((error: unknown) => {
        // Stopped or fenced: whoever has the partition next finds it unmarked.
        if (!(error instanceof StoppedError) && !(error instanceof FencedError)) this.#fail(error);
      });
  }

  /**
   * Waits until nothing of partitions that are ours no longer is under way, so that their next member finds it marked; not
   * for a topic that does not answer. Never rejects.
   */
  async settle(): Promise<void> {
    await settlesSoon(this.#portion);
  }

  /** Writes what is still due, as long as the topic answers, and looks no more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.wake();
    for (let seen = this.#portions; !(await settlesSoon(this.#writing)); seen = this.#portions) {
      if (seen < this.#portions) continue;
      this.#isGivenUp = true;
      this.#context.onGivenUp();
      return;
    }
  }

  async #write(): Promise<void> {
    let isMore = true;
    while (isMore && !this.#isGivenUp) {
      const portion = this.#writePortion();
      this.#portion = portion.catch(() => undefined);
      isMore = await portion;
      this.#portions++;
    }
  }

  /** False: nothing was due. */
  async #writePortion(): Promise<boolean> {
    const { database, log, letters, partitions, at } = this.#context;
    const { pool, schema } = database;
    const due = await this.#patience.run(() => readUnwritten(pool, schema, partitions(), PORTION));
    if (due.length === 0) return false;
    const records = await readPlaces(
      log,
      due.filter(({ isOfThisLog }) => isOfThisLog),
    );
    await at('before-letters');
    await appendLetters(
      letters,
      due.map((letter) => this.#letterOf(letter, records.get(placeName(letter)))),
    );
    await at('after-letters');
    const ids = due.map(({ eventId }) => eventId);
    await this.#patience.run(() => markWritten(pool, schema, ids));
    return true;
  }

  /** Key, value and headers as they lie in the log; of a record that is gone from there what the ledger kept. */
  #letterOf(letter: UnwrittenLetter, record: LogRecord | undefined): DeadLetterRecord {
    const { group, groupName } = this.#context;
    const { topic } = group.envelope;
    const { userId, value } = letter;
    const kept = { key: userId === null ? null : Buffer.from(userId), value, headers: [] };
    const { key, value: own, headers } = record !== undefined && this.#isOf(letter, record) ? record : kept;
    const letterHeaders = deadLetterHeaders({ ...letter, group: groupName, topic });
    return { key, value: own, headers, letterHeaders };
  }

  /** Whether a record is the event's, and not what a topic made anew has at its offset. */
  #isOf({ isOfThisLog, timestamp, eventId }: UnwrittenLetter, record: LogRecord): boolean {
    if (!isOfThisLog) return false;
    // A time that the ledger cannot hold was moved; such a record has an id of its own.
    return (
      record.timestamp === timestamp || readEnvelope(record, this.#context.group.envelope).eventId === eventId
    );
  }
}

/** Whether a promise that never rejects settles within `PORTION_WITHIN_MS`. */
async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = delay(PORTION_WITHIN_MS, false, { signal: over.signal });
  // Not waited for once it is aborted.
  late.catch(() => undefined);
  const settled = await Promise.race([promise.then(() => true), late]);
  over.abort();
  return settled;
}

/** A topic that is not there is told before anything is consumed: TOPIC_NOT_FOUND. It is never made in passing. */
export async function requireDeadLetterTopic(letters: EventLog | null): Promise<void> {
  try {
    await letters?.describe();
  } catch (error) {
    if (!(error instanceof UserEventsError) || error.code !== 'TOPIC_NOT_FOUND') throw error;
    const hint = 'Create it, or let `user-events init --dead-letter-topic NAME` create it.';
    throw new UserEventsError('TOPIC_NOT_FOUND', error.message, { hint, cause: error });
  }
}

/** The writer of a consumer; null where it has no topic of dead letters. */
export function openDeadLetterWriter(
  options: Pick<ConsumeOptions, 'deadLetters' | 'group' | 'signal' | 'observe' | 'at'>,
  consumer: Pick<DeadLetterContext, 'log' | 'database' | 'group'> & { readonly assignment: Assignment },
): DeadLetterWriter | null {
  const { deadLetters, signal, observe, at } = options;
  if (deadLetters === null) return null;
  const { assignment, ...given } = consumer;
  const patience = new Patience({
    ours: given.group.ours,
    signal,
    onTrouble: (error) => {
      observe.onTrouble('database', error?.message ?? null);
    },
  });
  const partitions = (): readonly number[] => [...assignment.nextOffsets().keys()];
  const onGivenUp = (): void => {
    observe.onTrouble('log', 'the topic of dead letters does not answer: the next start writes them');
  };
  const context = { ...given, letters: deadLetters, groupName: options.group, partitions, at, onGivenUp };
  return new DeadLetterWriter(context, patience);
}
