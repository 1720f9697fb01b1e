import type { DeadLetterSystem } from '../../domain/dead-letter.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { operationOf } from '../../domain/sameness.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readPutBack } from '../../postgres/sql/put-back.ts';
import { whereReadable } from '../../postgres/sql/where-readable.ts';
import type { Database } from '../../postgres/transaction.ts';
import { envelopeContext, findKeyType, type TypeSettings } from '../envelope-context.ts';
import { isoTime } from '../trace/iso-time.ts';
import { isLetterWanted, readLetters, type Letter, type LetterFilter } from './read-letters.ts';

/** One dead letter, as `failures --dead-letter TOPIC --json` prints it, a line each. */
export interface DeadLetterEntry {
  /** Where the letter lies, and its own time (ISO 8601). */
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: string;
  /** Who wrote it; null for a record that carries the headers of no known system. */
  readonly system: DeadLetterSystem | null;
  /** Where the record lay first. */
  readonly originalTopic: string | null;
  readonly originalPartition: number | null;
  readonly originalOffset: bigint | null;
  /** ISO 8601; null where the letter does not say it. */
  readonly originalTimestamp: string | null;
  /** Consumer group, share group or connector. */
  readonly group: string | null;
  readonly exception: string | null;
  readonly message: string | null;
  /** Null where the letter does not keep its record. */
  readonly eventId: string | null;
  readonly operation: string | null;
  readonly userId: string | null;
  /** How often the record had been put back before. */
  readonly putBacks: number;
  /** ISO 8601: when this service put it back; null: it has not, or its ledger cannot be read. */
  readonly putBackAt: string | null;
}

export interface ListLettersRequest {
  readonly filter: LetterFilter;
  /** The newest so many; null: all. */
  readonly limit: number | null;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
  readonly onPage: (entries: readonly DeadLetterEntry[]) => Promise<void>;
}

/**
 * Lists the dead letters of a topic, newest last. `database` tells the type of the key and what was put back; without it,
 * or where it is away, both are left open. TOPIC_NOT_FOUND. Returns how many are wanted, whatever the limit.
 */
export async function listLetters(
  letters: EventLog,
  database: Database | null,
  request: ListLettersRequest,
): Promise<number> {
  const { filter, limit, signal, onPage } = request;
  const description = await letters.describe();
  const keyType = database === null ? null : await findKeyType(database);
  const envelope = envelopeContext(description, keyType ?? 'text', request.types);
  const ends = await letters.watermarks();
  let wanted = 0;
  let newest: Letter[] = [];
  for await (const page of readLetters(letters, ends, envelope, signal)) {
    const kept = page.filter((letter) => isLetterWanted(letter, filter));
    wanted += kept.length;
    if (limit === null) await onPage(await toEntries(kept, database, envelope));
    else newest = [...newest, ...kept].slice(-limit);
  }
  await onPage(await toEntries(newest, database, envelope));
  return wanted;
}

async function toEntries(
  letters: readonly Letter[],
  database: Database | null,
  { clusterId, topic }: EnvelopeContext,
): Promise<readonly DeadLetterEntry[]> {
  const places = letters.map(({ record }) => record);
  const at =
    database === null
      ? null
      : await whereReadable(database, () =>
          readPutBack(database.pool, database.schema, { clusterId, topic }, places),
        );
  return letters.map((letter, index) => toEntry(letter, topic, at?.[index] ?? null));
}

function toEntry(
  { record, letter, event, userId }: Letter,
  topic: string,
  putBackAt: number | null,
): DeadLetterEntry {
  const original = letter?.timestamp ?? null;
  return {
    topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: isoTime(record.timestamp),
    system: letter?.system ?? null,
    originalTopic: letter?.topic ?? null,
    originalPartition: letter?.partition ?? null,
    originalOffset: letter?.offset ?? null,
    originalTimestamp: original === null ? null : isoTime(original),
    group: letter?.group ?? null,
    exception: letter?.exception ?? null,
    message: letter?.message ?? null,
    eventId: letter?.eventId ?? event?.eventId ?? null,
    operation: event === null ? null : operationOf(event),
    userId,
    putBacks: letter?.putBacks ?? 0,
    putBackAt: putBackAt === null ? null : isoTime(putBackAt),
  };
}
