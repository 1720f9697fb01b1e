import { UserEventsError } from '../../errors/user-events-error.ts';
import type { BatchSender } from './batch-sender.ts';
import type { ReadGroup } from './read-lines.ts';
import type { RejectsFile } from './rejects-file.ts';

export interface Sending {
  readonly sender: BatchSender;
  /** Null where all was checked before. */
  readonly rejects: RejectsFile | null;
  readonly runId: string;
  /** So many lines at the start were sent by an earlier run. */
  readonly skipLines: number;
  readonly signal: AbortSignal;
}

/**
 * Sends the good lines in order, and files the others. Returns how many were rejected. Whatever stops it tells
 * `facts.sent`, `facts.nextLine` and `facts.runId`, and how to go on.
 */
export async function sendLines(
  groups: AsyncIterable<ReadGroup> | Iterable<ReadGroup>,
  { sender, rejects, runId, skipLines, signal }: Sending,
): Promise<number> {
  let rejected = 0;
  try {
    for await (const { lines } of groups) {
      signal.throwIfAborted();
      for (const line of lines) {
        if (line.prepared !== undefined) {
          if (line.prepared.line <= skipLines) continue;
          sender.add(line.prepared);
          if (sender.isFull) await sender.send();
        } else if (rejects === null) {
          throw changed(line.reject.line);
        } else {
          // Those of an earlier run as well: its file is replaced by this one's.
          rejected += 1;
          await rejects.add(line.reject, line.raw);
        }
      }
      await sender.sendIfIdle();
    }
    await sender.send();
    await sender.settle();
  } catch (error) {
    throw await stopped(error, { sender, runId, skipLines, signal });
  } finally {
    await rejects?.close();
  }
  return rejected;
}

function changed(line: number): UserEventsError {
  return new UserEventsError('INPUT_INVALID', `Line ${String(line)} is not what it was when it was checked`);
}

/** The error that stopped it, with how far it came. What is under way is waited for. */
async function stopped(
  error: unknown,
  { sender, runId, skipLines, signal }: Omit<Sending, 'rejects'>,
): Promise<unknown> {
  const first = await sender.settle().then(
    () => error,
    (failure: unknown) => failure,
  );
  const isAborted = first instanceof Error && first.name === 'AbortError';
  // A log that was away, and was waited for until the interrupt, is not why it stopped.
  const isWaitOver = signal.aborted && first instanceof UserEventsError && first.code === 'LOG_UNREACHABLE';
  const known =
    isAborted || isWaitOver ? new UserEventsError('INTERRUPTED', 'Interrupted', { cause: first }) : first;
  if (!(known instanceof UserEventsError)) return known;
  const { sent } = sender;
  const nextLine = sender.nextLine ?? skipLines + 1;
  return new UserEventsError(
    known.code,
    `${known.message}\n${sent === 1 ? '1 event was' : `${String(sent)} events were`} sent, up to line ${String(nextLine - 1)}`,
    {
      cause: known.cause ?? known,
      hint: `${known.hint} Then go on with the same input and --skip-lines ${String(nextLine - 1)} --run-id ${runId}`,
      facts: { ...known.facts, sent, nextLine, runId },
    },
  );
}
