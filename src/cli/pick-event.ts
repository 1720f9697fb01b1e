import type { Candidate } from '../app/rollback/candidates.ts';
import { ageText } from './age-text.ts';
import type { Choice, Prompts } from './prompts.ts';

/**
 * Lets one event be searched for and picked at the terminal, and gives back its id: failed ones are listed, with what each
 * holds back; any other is found by its user or id. NO_TERMINAL, INTERRUPTED, DECLINED at Escape.
 */
export function pickEvent(
  prompts: Prompts,
  search: (term: string) => Promise<readonly Candidate[]>,
  now: () => number,
): Promise<string> {
  return prompts.search(
    'Which event is to be rolled back? (a user, id, code or constraint; Escape leaves)',
    async (term) => (await search(term)).map((candidate) => toChoice(candidate, now())),
  );
}

/** `3 min ago  update ada  failed DATABASE_CONSTRAINT email_has_an_at  holds back 2`. */
function toChoice(candidate: Candidate, nowMs: number): Choice<string> {
  const { eventId, userId, operation, status, code, constraint, message, decidedAt, parked } = candidate;
  const why = status === 'failed' ? [code, constraint].filter((part) => part !== null).join(' ') : '';
  const behind = parked === 0 ? '' : `  holds back ${parked.toLocaleString('en-US')}`;
  const label = `${ageText(decidedAt.getTime(), nowMs)}  ${operation} ${userId}  ${status} ${why}`.trimEnd();
  return { value: eventId, label: `${label}${behind}`, hint: `${eventId}  ${message ?? ''}`.trimEnd() };
}
