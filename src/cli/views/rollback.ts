import type { RolledBack } from '../../app/rollback/roll-back.ts';
import type { SentRollback } from '../../app/rollback/send.ts';
import { visible } from '../sanitize.ts';
import type { Theme, View } from '../theme.ts';
import { count, PLANS_SHOWN, renderPlans } from './rollback/plan.ts';

export type RollbackResult = Omit<RolledBack, 'exit'>;

/** What was sent, and what became of it. */
export const renderRollback: View<RollbackResult> = (result, style) => {
  const { isDryRun, plans, sent, rejected } = result;
  const { theme } = style;
  if (plans.length + rejected.length === 0) return 'No such event is failed: nothing to do';
  if (isDryRun) return `${renderPlans(result, style)}\n${theme.dim('Dry run: nothing was sent.')}`;
  const isMany = sent.length > PLANS_SHOWN;
  const shown = isMany ? sent.filter(({ outcome }) => outcome === 'refused' || outcome === 'failed') : sent;
  const lines = shown.slice(0, PLANS_SHOWN).map((each) => lineOf(each, theme));
  if (shown.length > PLANS_SHOWN) lines.push(theme.dim(`… and ${count(shown.length - PLANS_SHOWN, 'more')}`));
  for (const { message, code } of rejected.slice(0, PLANS_SHOWN))
    lines.push(`${theme.bad('✗')} ${visible(message)} (${code})`);
  if (isMany || rejected.length > 0) lines.push(totalsOf(sent, rejected.length));
  return lines.join('\n');
};

function lineOf(
  { userId, eventId, partition, offset, outcome, code, message }: SentRollback,
  theme: Theme,
): string {
  const user = `user ${visible(userId)}`;
  const place = `event ${eventId ?? ''} at [${String(partition)}]@${String(offset)}`;
  const why = code === null ? '' : ` (${code}) ${visible(message ?? '')}`;
  switch (outcome) {
    case 'already':
      return `${theme.dim('=')} ${user}: already rolled back, nothing was sent`;
    case 'pending':
      return `${theme.dim('=')} ${user}: under way as ${place}, not executed here yet; nothing more was sent`;
    case 'refused':
      return `${theme.bad('✗')} ${user}: refused${why}`;
    case 'failed':
      return `${theme.bad('✗')} ${user}: sent, but could not be executed here${why}\n  → ${retryHint(eventId ?? '', code)}`;
    case 'applied':
      return `${theme.good('✓')} ${user}: rolled back by event ${eventId ?? ''}`;
    case 'sent':
      return `${theme.good('✓')} ${user}: sent as ${place}; every service's consumer executes it`;
  }
}

/** A rollback that failed here waits for a decision of this service: another rollback would change nothing. */
function retryHint(eventId: string, code: string | null): string {
  const over = code === 'DRIFT' ? ', over what was changed outside the log with --force' : '';
  return `Mend what stands in the way, then: user-events retry ${eventId}${over}`;
}

function totalsOf(sent: readonly SentRollback[], rejected: number): string {
  const counts = new Map<string, number>();
  for (const { outcome } of sent) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, n]) => `${n.toLocaleString('en-US')} ${outcome}`);
  if (rejected > 0) parts.push(`${count(rejected, 'event')} not rolled back`);
  return `${count(sent.length, 'user')}: ${parts.join(', ')}`;
}
