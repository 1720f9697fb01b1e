import type { Readable } from 'node:stream';
import { readStatuses } from '../../postgres/sql/read-statuses.ts';
import {
  encodingOf,
  previewRecord,
  type PreviewedRecord,
  type Publisher,
  type WaitRequest,
} from '../publish.ts';
import { BatchSender, finalEventId, type PartitionRange } from './batch-sender.ts';
import { checkInput, inputInvalid } from './check-input.ts';
import { enduring } from './enduring-log.ts';
import { openInput, type InputSource } from './input-source.ts';
import { KeptLines } from './kept-lines.ts';
import { readLines, type ReadGroup } from './read-lines.ts';
import { sendLines } from './send-lines.ts';
import { createRejectsFile } from './rejects-file.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { waitForOutcomes, type Outcomes } from './wait-for-outcomes.ts';

export interface PublishInputRequest {
  /** A path, or the stream that `-` stands for. */
  readonly from: string | Readable;
  /** A canonical UUIDv7: the ids of lines that state none follow from it and the line's number. Null: a new one. */
  readonly runId: string | null;
  /** So many lines at the start were sent by an earlier run. */
  readonly skipLines: number;
  /** Send the good lines and write the rejects to this file; null: send nothing unless all is good. */
  readonly rejectsFile: string | null;
  readonly isDryRun: boolean;
  readonly wait: WaitRequest | null;
  readonly onProgress: (
    phase: 'Checking' | 'Publishing' | 'Waiting',
    done: number,
    total: number | null,
  ) => void;
  /** Told that the log has gone away and is waited for, and that it is back. */
  readonly onAway: (isAway: boolean) => void;
}

/** What became of an input. */
export interface PublishSummary {
  readonly dryRun: boolean;
  readonly topic: string;
  readonly runId: string;
  /** Events sent; for a dry run those that would be. */
  readonly sent: number;
  readonly rejected: number;
  /** Null where nothing was rejected. */
  readonly rejectsFile: string | null;
  /** Events by operation. */
  readonly operations: Readonly<Record<string, number>>;
  readonly partitions: readonly PartitionRange[];
  readonly elapsedMs: number;
  readonly eventsPerSecond: number;
  /** For a dry run alone: the first few. */
  readonly preview?: readonly PreviewedRecord[];
  /** With `--wait` alone. */
  readonly outcomes?: Outcomes;
  /** A line was rejected, or an event was read and has no effect. */
  readonly hasFailures: boolean;
}

/**
 * Publishes every line of an input, in order. A log that is patient is waited for where it goes away under it. Unless rejects go to a file all of it is checked first: INPUT_INVALID with
 * `facts.rejects`, nothing sent. Whatever stops it midway tells `facts.sent`, `facts.nextLine` and `facts.runId`, with
 * which the same input goes on without doing anything twice.
 */
export async function publishInput(
  publisher: Publisher,
  asked: PublishInputRequest,
): Promise<PublishSummary> {
  const request = { ...asked, runId: asked.runId ?? publisher.newId() };
  const { from, rejectsFile, isDryRun, wait } = request;
  const isChecked = rejectsFile === null && !isDryRun;
  if (wait !== null) {
    await requireBoundTopic(wait.db, publisher.envelope.topic);
    await readStatuses(wait.db.pool, wait.db.schema, []);
  }
  const source = await openInput({ from, isReadTwice: isChecked, signal: publisher.signal });
  try {
    if (isDryRun) return await dryRun(publisher, request, source);
    if (!isChecked) return await send(publisher, request, linesOf(publisher, request, source, false), null);
    const kept = new KeptLines();
    const total = await check(request, kept.keep(linesOf(publisher, request, source, false)));
    await source.assertUnchanged();
    const lines = kept.take() ?? unchanged(source, linesOf(publisher, request, source, true));
    return await send(publisher, request, lines, total);
  } finally {
    await source.close();
  }
}

/** A request with the id of its run. */
interface Run extends PublishInputRequest {
  readonly runId: string;
}

function linesOf(
  publisher: Publisher,
  { runId }: Run,
  source: InputSource,
  isChecked: boolean,
): AsyncIterable<ReadGroup> {
  return readLines(source, { runId, encoding: encodingOf(publisher), isChecked }, publisher.signal);
}

async function dryRun(publisher: Publisher, request: Run, source: InputSource): Promise<PublishSummary> {
  const startedAt = publisher.now();
  const checked = await checkInput(linesOf(publisher, request, source, false), request.skipLines, (done) => {
    request.onProgress('Checking', done, null);
  });
  if (checked.rejected > 0 && request.rejectsFile === null) throw inputInvalid(checked);
  return {
    dryRun: true,
    topic: publisher.envelope.topic,
    runId: request.runId,
    sent: checked.good,
    rejected: checked.rejected,
    rejectsFile: null,
    operations: Object.fromEntries(checked.operations),
    partitions: [],
    ...rate(checked.good, publisher.now() - startedAt),
    preview: checked.preview.map((prepared) => previewRecord(prepared, publisher.partitionCount)),
    hasFailures: checked.rejected > 0,
  };
}

/** The second reading. Throws INPUT_INVALID where the input was written to since the first one. */
async function* unchanged(source: InputSource, groups: AsyncIterable<ReadGroup>): AsyncGenerator<ReadGroup> {
  for await (const group of groups) {
    await source.assertUnchanged();
    yield group;
  }
}

/** Returns how many events there are to send. */
async function check({ skipLines, onProgress }: Run, groups: AsyncIterable<ReadGroup>): Promise<number> {
  const checked = await checkInput(groups, skipLines, (done) => {
    onProgress('Checking', done, null);
  });
  if (checked.rejected > 0) throw inputInvalid(checked);
  return checked.good;
}

async function send(
  publisher: Publisher,
  request: Run,
  lines: AsyncIterable<ReadGroup> | Iterable<ReadGroup>,
  total: number | null,
): Promise<PublishSummary> {
  const startedAt = publisher.now();
  const eventIds: string[] = [];
  const log = enduring(publisher.log, { signal: publisher.signal, onAway: request.onAway });
  const sender = new BatchSender(log, (batch, positions) => {
    if (request.wait !== null) {
      for (const [at, position] of positions.entries()) {
        const prepared = batch[at];
        if (prepared !== undefined) eventIds.push(finalEventId(prepared, position, publisher.envelope));
      }
    }
    request.onProgress('Publishing', sender.sent, total);
  });
  const rejects = request.rejectsFile === null ? null : createRejectsFile(request.rejectsFile);
  const rejected = await sendLines(lines, { ...request, sender, rejects, signal: publisher.signal });
  const elapsedMs = Math.round(publisher.now() - startedAt);
  const outcomes = await waitForAll(publisher, request, eventIds);
  return {
    dryRun: false,
    topic: publisher.envelope.topic,
    runId: request.runId,
    sent: sender.sent,
    rejected,
    rejectsFile: rejected === 0 ? null : request.rejectsFile,
    operations: Object.fromEntries(sender.operations),
    partitions: sender.partitions,
    ...rate(sender.sent, elapsedMs),
    ...(outcomes === null ? {} : { outcomes }),
    hasFailures: rejected > 0 || outcomes?.hasFailures === true,
  };
}

async function waitForAll(
  { now, signal }: Publisher,
  { wait, onProgress }: Run,
  eventIds: readonly string[],
): Promise<Outcomes | null> {
  if (wait === null) return null;
  return waitForOutcomes(wait.db, eventIds, {
    timeoutMs: wait.timeoutMs,
    now,
    signal,
    onProgress: (decided) => {
      onProgress('Waiting', decided, eventIds.length);
    },
  });
}

function rate(count: number, elapsedMs: number): Pick<PublishSummary, 'elapsedMs' | 'eventsPerSecond'> {
  return { elapsedMs, eventsPerSecond: Math.round((count * 1000) / Math.max(1, elapsedMs)) };
}
