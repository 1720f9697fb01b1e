import type { LogEvent } from './event.ts';
import { fold, type FoldInput, type UserFacts } from './fold.ts';
import type { UserWrite } from './row-change.ts';

/** One event's own write, as it would be alone, behind the ones before it. */
export interface SingleWrite {
  readonly event: LogEvent;
  readonly write: UserWrite;
}

/**
 * Folds events one by one, each behind the others: what each of them writes by itself. Events that write nothing are
 * left out. Facts must have been read. Stops before the first rollback.
 */
export function foldEach(input: FoldInput): readonly SingleWrite[] {
  const users = new Map<string, UserFacts>(input.facts.users);
  const singles: SingleWrite[] = [];
  for (const event of input.events) {
    if (event.kind === 'rollback') break;
    const { decisions, writes, after } = fold({
      ...input,
      events: [event],
      facts: { ...input.facts, users },
    });
    for (const [userId, facts] of after) users.set(userId, facts);
    const [decision] = decisions;
    if (decision?.status !== 'applied') continue;
    for (const write of writes) if (write.action !== 'none') singles.push({ event, write });
  }
  return singles;
}
