import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openPublisher, type Publisher } from '../../src/app/publish.ts';
import type { PublishInputRequest } from '../../src/app/publish/publish-input.ts';
import { createUuidV7 } from '../../src/cli/uuid-v7.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { readAllRecords } from './each-log.ts';

/** The id of every run of the tests. */
export const RUN_ID = '01a20c52-6858-7abc-9def-0123456789ab';
/** An event's id. */
export const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
const newId = createUuidV7(Date.now);

/** A publisher without a database. */
export function publisherOf(log: EventLog, more: Partial<Publisher> = {}): Promise<Publisher> {
  const signal = more.signal ?? new AbortController().signal;
  const types = { ignoreTypes: [], mapTypes: new Map<string, string>() };
  return openPublisher(log, { db: null, types, source: '/test', now: Date.now, newId, signal });
}

/** A request to publish lines (objects as JSON) or a text from a stream. */
export function requestOf(
  lines: readonly (object | string)[] | string,
  more: Partial<PublishInputRequest> = {},
): PublishInputRequest {
  const text = typeof lines === 'string' ? lines : textOf(lines);
  return {
    from: Readable.from([Buffer.from(text)]),
    runId: RUN_ID,
    skipLines: 0,
    rejectsFile: null,
    isDryRun: false,
    wait: null,
    onProgress: () => undefined,
    onAway: () => undefined,
    ...more,
  };
}

/** NDJSON. */
export const textOf = (lines: readonly (object | string)[]): string =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');

/** So many creates. */
export const users = (count: number): object[] =>
  Array.from({ length: count }, (_, at) => ({
    operation: 'create',
    userId: `u${String(at)}`,
    data: { n: at },
  }));

/** The UserEventsError that `work` rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<UserEventsError> {
  const error: unknown = await work.then(
    () => new Error('It did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof UserEventsError) return error;
  throw error;
}

/** A new empty folder. */
export async function folder(): Promise<string> {
  return mkdtemp(join(process.env['TEST_RUN_DIR'] ?? tmpdir(), 'publish-'));
}

/** The ids in a log, by partition and offset. */
export const idsIn = async (log: EventLog): Promise<string[]> =>
  (await readAllRecords(log)).map(
    ({ headers }) => headers.find(({ key }) => key === 'ce_id')?.value?.toString() ?? '',
  );
