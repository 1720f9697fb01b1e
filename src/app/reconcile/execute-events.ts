import type { ColumnMapper, EventError } from '../../domain/column-values.ts';
import type { CudEvent, Rules, UnreadableEvent } from '../../domain/event.ts';
import { fold, type Decision, type Facts, type UserFacts } from '../../domain/fold.ts';
import type { ExecuteAgain } from '../../postgres/sql/execute-again.ts';
import { outcomeOf, type Ours } from '../../postgres/sql/outcome.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import { savepoint } from '../../postgres/transaction.ts';

export interface ExecuteContext {
  readonly executeAgain: ExecuteAgain;
  readonly rules: Rules;
  readonly mapper: ColumnMapper;
  readonly ours: Ours;
}

/**
 * Executes events again in the caller's transaction, by the ordinary fold, in the order given: all in one statement;
 * where the database refuses, by halves down to the event that it refuses, which is failed and parks its user.
 * `users` are the facts before; they are brought up to date. Returns a decision for every event, in order.
 */
export async function executeEvents(
  client: PoolClient,
  context: ExecuteContext,
  events: readonly (CudEvent | UnreadableEvent)[],
  users: Map<string, UserFacts>,
): Promise<Decision[]> {
  const decisions: Decision[] = [];
  let rest = events;
  while (rest.length > 0) {
    const { done, taken } = await executeSome(client, context, rest, users, new Map());
    decisions.push(...done);
    rest = rest.slice(taken);
  }
  return decisions;
}

interface Executed {
  readonly done: readonly Decision[];
  readonly taken: number;
}

async function executeSome(
  client: PoolClient,
  context: ExecuteContext,
  events: readonly (CudEvent | UnreadableEvent)[],
  users: Map<string, UserFacts>,
  refused: ReadonlyMap<string, EventError>,
  isCancelled = false,
): Promise<Executed> {
  const facts: Facts = { areRead: true, users, events: new Map() };
  const { rules, mapper } = context;
  const folded = fold({ events, facts, rules, mapper, refused, deriveId: (event) => event.eventId });
  const outcome = await outcomeOf(context.ours, () =>
    savepoint(client, () => context.executeAgain.run(client, folded.decisions, folded.writes)),
  );
  switch (outcome.kind) {
    case 'done':
      for (const [userId, after] of folded.after) users.set(userId, after);
      return { done: folded.decisions, taken: folded.taken };
    case 'refused':
    case 'cancelled': {
      const first = events[0];
      if (events.length === 1 && first !== undefined) {
        // A cancel is the event's fault only where it happens again (DESIGN 4).
        if (outcome.kind === 'cancelled' && !isCancelled)
          return executeSome(client, context, events, users, refused, true);
        if (refused.size > 0)
          throw new Error(`event ${first.eventId} cannot be recorded: ${outcome.error.message}`);
        return executeSome(client, context, events, users, new Map([[first.eventId, outcome.error]]));
      }
      return executeSome(client, context, events.slice(0, Math.ceil(events.length / 2)), users, new Map());
    }
    case 'stale':
    case 'transient':
    case 'unknown':
    case 'stop':
      throw outcome.error;
    case 'fenced':
      throw new Error('executing events again claims nothing, so it cannot be fenced');
  }
}
