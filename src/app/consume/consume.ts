import { setTimeout as delay } from 'node:timers/promises';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, Subscription } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { Ours } from '../../postgres/sql/outcome.ts';
import type { Applied } from './apply-events.ts';
import { Assignment } from './assignment.ts';
import type { ConsumerView } from './consumer-view.ts';
import { endsReached, readEnds } from './log-end.ts';
import type { ConsumeOptions } from './consume-options.ts';
import { Ending, type EndedBy } from './ending.ts';
import type { Group } from './open-group.ts';
import { Patience, PositionLostError, StoppedError } from './patience.ts';
import { openDeadLetterWriter, requireDeadLetterTopic, type DeadLetterWriter } from './dead-letter-writer.ts';
import { openWhenThere } from './start.ts';
import { TallyKeeper, type FailedEvent, type Tally } from './tally.ts';

export interface ConsumeSummary extends Tally {
  readonly elapsedMs: number;
  /** On average over that time. */
  readonly eventsPerSecond: number;
  readonly endedBy: EndedBy;
  /** The event that stopped it, with `--on-failure stop` or --max-failed. */
  readonly stoppedBy: FailedEvent | null;
}

const LOOK_AT_ENDS_MS = 100;
/**
 * The checks of an assignment come first, and what a member that was killed left undone: dead letters, compensating events.
 * Its partitions are given to others when its session is over (10 s); who is let in by then has a share or knows of none.
 */
const SHARE_WITHIN_MS = 30_000;

/**
 * Runs the consumer: every event of the topic is decided on once, in order per user, and its effect, its ledger row and
 * the position are one transaction (DESIGN 4). Rides out a log or database that is away. Throws what must be mended
 * first: BINDING_MISMATCH, GROUP_SHARED, LOG_REPLACED, LOG_TRUNCATED, DATABASE_REFUSED …
 */
export async function consume(
  log: EventLog,
  database: Database,
  options: ConsumeOptions,
): Promise<ConsumeSummary> {
  const startedAt = performance.now();
  const keeper = new TallyKeeper();
  const ending = new Ending(options.signal);
  const stopped = ending.reached().then(() => null);
  const group = await Promise.race([openWhenThere(log, database, options), stopped]);
  const ends =
    options.isUntilEnd && group !== null
      ? await Promise.race([endsNow(log, database, group, options), stopped])
      : null;
  await Promise.race([requireDeadLetterTopic(options.deadLetters), stopped]);
  if (group !== null && !ending.signal.aborted) {
    const join = (): Member => joinGroup(log, database, group, keeper, ending, ends, options);
    let lost = await run(log, database, group, join(), ends, ending);
    while (lost !== null) {
      options.observe.onPositionLost(lost);
      lost = await run(log, database, group, join(), ends, ending);
    }
  }
  const { endedBy, stoppedBy } = ending;
  const { tally } = keeper;
  const elapsedMs = performance.now() - startedAt;
  const eventsPerSecond = Math.round((tally.events * 1000) / elapsedMs);
  return { ...tally, elapsedMs, eventsPerSecond, endedBy, stoppedBy };
}

/** Where the log ends now. Null: it is to stop while the database is away. */
async function endsNow(
  log: EventLog,
  database: Database,
  { ours }: Group,
  { signal, observe, acceptGap }: ConsumeOptions,
): Promise<ConsumerView['ends']> {
  const onTrouble = (error: Error | null): void => {
    observe.onTrouble('database', error?.message ?? null);
  };
  try {
    return await readEnds(log, database, new Patience({ ours, signal, onTrouble }), acceptGap);
  } catch (error) {
    if (error instanceof StoppedError) return null;
    throw error;
  }
}

function viewOf(assignment: Assignment, ends: ConsumerView['ends']): ConsumerView {
  return {
    get phase() {
      return assignment.phase;
    },
    get partitions() {
      return assignment.partitions;
    },
    ends,
  };
}

/** This member of the group: what executes its partitions, and what writes their dead letters, if anything does. */
interface Member {
  readonly assignment: Assignment;
  readonly letters: DeadLetterWriter | null;
}

function joinGroup(
  log: EventLog,
  database: Database,
  group: Group,
  keeper: TallyKeeper,
  ending: Ending,
  ends: ConsumerView['ends'],
  options: ConsumeOptions,
): Member {
  const onApplied = (applied: Applied): void => {
    const failed = keeper.add(applied);
    options.observe.onApplied(applied, keeper.tally);
    for (const event of failed) options.observe.onFailed(event);
    if (options.onFailure === 'rollback') assignment.compensate(failed);
    if (failed.length > 0 || applied.rollbacks.length > 0) letters?.wake();
    ending.check(keeper, failed, options);
  };
  const onAssigned = (partitions: readonly number[]): void => {
    options.observe.onAssigned(partitions);
    letters?.wake();
  };
  const settings = { ...options, signal: ending.signal, onApplied, onAssigned };
  const assignment = new Assignment(log, database, group, settings);
  const letters = openDeadLetterWriter(settings, { log, database, group, assignment });
  options.observe.onStarted(viewOf(assignment, ends));
  return { assignment, letters };
}

/**
 * Subscribes and works until something ends it; then drains and leaves the group. Returns an error where the database
 * has fallen back behind what was read (a fail-over): joined again, that is read again, and nothing is jumped over.
 */
async function run(
  log: EventLog,
  database: Database,
  group: Group,
  { assignment, letters }: Member,
  ends: ReadonlyMap<number, bigint> | null,
  ending: Ending,
): Promise<PositionLostError | null> {
  const callbacks = assignment.callbacks();
  const subscribing = log.subscribe({
    ...callbacks,
    async onRevoked(partitions) {
      await callbacks.onRevoked(partitions);
      await letters?.settle();
    },
  });
  const subscription = await Promise.race([subscribing, ending.reached().then(() => null)]);
  if (subscription === null) {
    await letters?.close();
    return null;
  }
  assignment.attach(subscription);
  const left = new AbortController();
  try {
    const waits = [subscription.ended, assignment.failed, ending.reached()];
    if (letters !== null) waits.push(letters.failed);
    if (ends !== null) waits.push(watchEnds(database, group.ours, assignment, ends, ending, left.signal));
    await Promise.race(waits);
    ending.end('signal');
    return null;
  } catch (error) {
    if (error instanceof PositionLostError && !ending.signal.aborted) return error;
    ending.end('signal');
    throw isOutOfRange(error) ? logIsOther(error) : error;
  } finally {
    left.abort();
    await leave(assignment, letters, subscription);
  }
}

function isOutOfRange(error: unknown): error is UserEventsError {
  return error instanceof UserEventsError && error.code === 'OFFSET_OUT_OF_RANGE';
}

/** The position is outside the log under a running consumer: deleted before it was read, or another log (DESIGN 4). */
function logIsOther(error: UserEventsError): UserEventsError {
  const { expected, low } = error.facts;
  const isTruncated = typeof expected === 'bigint' && typeof low === 'bigint' && expected < low;
  const { message, facts } = error;
  return new UserEventsError(isTruncated ? 'LOG_TRUNCATED' : 'LOG_REPLACED', message, {
    cause: error,
    facts,
  });
}

/** Ends the consumer when the end of the log at the start has been executed, by this member or by others. */
async function watchEnds(
  database: Database,
  ours: Ours,
  assignment: Assignment,
  ends: ReadonlyMap<number, bigint>,
  ending: Ending,
  left: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ending.signal, left]);
  const startedAt = performance.now();
  while (!signal.aborted) {
    const mayEnd = assignment.hasShare || performance.now() - startedAt > SHARE_WITHIN_MS;
    const isAtEnd = mayEnd && (await endsReached(database, ours, assignment.nextOffsets(), ends));
    if (isAtEnd && !left.aborted) ending.end('end');
    else await delay(LOOK_AT_ENDS_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Drains, commits to the log what is executed, writes the dead letters of it, and leaves the group. The log's own commit is best effort (I5). */
async function leave(
  assignment: Assignment,
  letters: DeadLetterWriter | null,
  subscription: Subscription,
): Promise<void> {
  await assignment.drain();
  await letters?.close();
  await subscription.close();
}
