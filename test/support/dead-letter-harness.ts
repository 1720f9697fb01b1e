import { listLetters, type DeadLetterEntry } from '../../src/app/dead-letters/list-letters.ts';
import { putBack, type PutBackRequest, type PutBackResult } from '../../src/app/dead-letters/put-back.ts';
import type { LetterFilter } from '../../src/app/dead-letters/read-letters.ts';
import type { NewRecord, RecordHeader } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { Database } from '../../src/postgres/transaction.ts';

/** A text header. */
export const header = (key: string, value: string): RecordHeader => ({ key, value: Buffer.from(value) });

const EVERYTHING: LetterFilter = { userId: null, exception: null, since: null, until: null };
const TYPES = { ignoreTypes: [], mapTypes: new Map<string, string>() };

/** A dead letter as Kafka Connect writes it; its value is `{"n": offset}` and the user, its own header `own`. */
export function connectLetter(
  userId: string,
  topic: string,
  offset: number,
  more: readonly RecordHeader[] = [],
): NewRecord {
  return {
    key: Buffer.from(userId),
    value: Buffer.from(JSON.stringify({ userId, n: offset })),
    headers: [
      header('own', 'kept'),
      ...more,
      header('__connect.errors.topic', topic),
      header('__connect.errors.partition', '0'),
      header('__connect.errors.offset', String(offset)),
      header('__connect.errors.exception.class.name', `org.example.Boom${String(offset)}`),
      header('__connect.errors.exception.message', 'boom'),
    ],
  };
}

/** All dead letters of a topic. */
export async function lettersOf(
  letters: EventLog,
  database: Database,
  filter: Partial<LetterFilter> = {},
): Promise<DeadLetterEntry[]> {
  const entries: DeadLetterEntry[] = [];
  await listLetters(letters, database, {
    filter: { ...EVERYTHING, ...filter },
    limit: null,
    types: TYPES,
    signal: new AbortController().signal,
    onPage: (page) => {
      entries.push(...page);
      return Promise.resolve();
    },
  });
  return entries;
}

/** Puts dead letters back, all of them unless it is asked otherwise. */
export function putBackAll(
  log: EventLog,
  letters: EventLog,
  database: Database,
  {
    filter = {},
    ...more
  }: Partial<Omit<PutBackRequest, 'filter'>> & { readonly filter?: Partial<LetterFilter> } = {},
): Promise<PutBackResult> {
  return putBack(log, letters, database, {
    filter: { ...EVERYTHING, ...filter },
    maxPutBacks: 3,
    isDryRun: false,
    types: TYPES,
    operator: 'tester',
    reason: null,
    signal: new AbortController().signal,
    confirm: () => Promise.resolve(),
    onProgress: () => undefined,
    ...more,
  });
}
