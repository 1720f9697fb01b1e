import { deadLetterHeaders } from '../../domain/dead-letter-headers.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { LogRecord, NewRecord } from '../../domain/record.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { markWritten, readUnwritten, type UnwrittenLetter } from '../../postgres/sql/read-unwritten.ts';
import { placeName, readPlaces } from '../dead-letters/read-places.ts';
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
}

/** Letters a write: their records are held in memory. */
const LETTERS_AT_ONCE = 500;
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

  /** Writes what is still due, and looks no more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.wake();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { database, log, letters, partitions, at } = this.#context;
    const { pool, schema } = database;
    for (;;) {
      const due = await this.#patience.run(() => readUnwritten(pool, schema, partitions(), LETTERS_AT_ONCE));
      if (due.length === 0) return;
      const records = await readPlaces(log, due);
      await at('before-letters');
      await letters.append(due.map((letter) => this.#letterOf(letter, records.get(placeName(letter)))));
      await at('after-letters');
      const ids = due.map(({ eventId }) => eventId);
      await this.#patience.run(() => markWritten(pool, schema, ids));
    }
  }

  /** Key, value and headers as they lie in the log; of a record that is gone from there what the ledger kept. */
  #letterOf(letter: UnwrittenLetter, record: LogRecord | undefined): NewRecord {
    const { group, groupName } = this.#context;
    const { topic } = group.envelope;
    const { userId, value } = letter;
    const kept = { key: userId === null ? null : Buffer.from(userId), value, headers: [] };
    const { key, value: own, headers } = record ?? kept;
    return {
      key,
      value: own,
      headers: [...headers, ...deadLetterHeaders({ ...letter, group: groupName, topic })],
    };
  }
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
  return new DeadLetterWriter(
    { ...given, letters: deadLetters, groupName: options.group, partitions, at },
    patience,
  );
}
