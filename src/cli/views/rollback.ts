import type { UserPlan } from '../../app/rollback/plan.ts';
import type { SentRollback } from '../../app/rollback/send.ts';
import type { JsonValue } from '../../domain/event.ts';
import { visible } from '../sanitize.ts';
import { renderTable, type Cell } from '../table.ts';
import { statusPaint, type Style, type View } from '../theme.ts';

export interface RollbackResult {
  readonly isDryRun: boolean;
  readonly plans: readonly UserPlan[];
  readonly sent: readonly SentRollback[];
}

/** A plan of many users is told in one line each, and only so many. */
const PLANS_SHOWN = 20;

/** What would happen to each user: the row now and then, field by field, and every event whose status would change. */
export function renderPlans(plans: readonly UserPlan[], style: Style): string {
  const shown = plans.slice(0, PLANS_SHOWN).map((plan) => renderPlan(plan, style));
  if (plans.length > PLANS_SHOWN)
    shown.push(style.theme.dim(`… and ${String(plans.length - PLANS_SHOWN)} more users`));
  return shown.join('\n\n');
}

function renderPlan(plan: UserPlan, style: Style): string {
  const { theme } = style;
  const { decision, kind, mode, later } = plan.outlook;
  const head = theme.title(`User ${visible(plan.userId)}`);
  if (kind === 'already') return `${head}: already rolled back, nothing to do`;
  if (!decision.isAccepted) {
    const events = decision.events.map((id) => `  ${visible(id)}`).join('\n');
    return `${head}: ${theme.bad(`refused (${decision.code})`)} ${decision.message}:\n${events}`;
  }
  const parts = [`${head}: roll back ${count(plan.targets.length, 'event')} (${mode})`];
  const rows = fieldRows(plan, style);
  if (rows.length > 0)
    parts.push(renderTable([{ title: 'FIELD' }, { title: 'NOW' }, { title: 'THEN' }], rows, style));
  else if (plan.obstacle === null) parts.push(theme.dim('The row stays as it is.'));
  if (plan.changes.length > 0) {
    const cells = plan.changes.map(({ eventId, operation, from, to }): Cell[] => [
      eventId,
      operation ?? '?',
      { text: from, paint: statusPaint(from, theme) },
      { text: to, paint: statusPaint(to, theme) },
    ]);
    parts.push(
      renderTable(
        [{ title: 'EVENT' }, { title: 'OPERATION' }, { title: 'NOW' }, { title: 'THEN' }],
        cells,
        style,
      ),
    );
  }
  if (kind === 'choose')
    parts.push(
      theme.warn(
        `${count(later.length, 'later event')} of this user would stay (--only) or go too (--cascade).`,
      ),
    );
  if (plan.obstacle !== null) {
    parts.push(
      theme.bad(
        `It could not be executed here as things are (${plan.obstacle.code}): ${visible(plan.obstacle.message)}`,
      ),
    );
  }
  return parts.join('\n');
}

function fieldRows({ now, then }: UserPlan, { theme }: Style): Cell[][] {
  const fields = [...new Set([...Object.keys(now ?? {}), ...Object.keys(then ?? {})])];
  const isSame = (field: string): boolean => JSON.stringify(now?.[field]) === JSON.stringify(then?.[field]);
  return fields
    .filter((field) => !isSame(field))
    .map((field) => [
      field,
      { text: shownValue(now?.[field]), paint: theme.bad },
      { text: shownValue(then?.[field]), paint: theme.good },
    ]);
}

function shownValue(value: JsonValue | undefined): string {
  if (value === undefined) return '(no row)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function count(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}

/** What was sent, and what became of it. */
export const renderRollback: View<RollbackResult> = ({ isDryRun, plans, sent }, style) => {
  if (isDryRun) return `${renderPlans(plans, style)}\n${style.theme.dim('Dry run: nothing was sent.')}`;
  const { theme } = style;
  if (sent.length > PLANS_SHOWN) return renderCounts(sent);
  return sent
    .map(({ userId, eventId, partition, offset, outcome, code, message }) => {
      const user = `user ${visible(userId)}`;
      switch (outcome) {
        case 'already':
          return `${theme.dim('=')} ${user}: already rolled back, nothing was sent`;
        case 'refused':
          return `${theme.bad('✗')} ${user}: refused (${code ?? ''}) ${visible(message ?? '')}`;
        case 'failed':
          return `${theme.bad('✗')} ${user}: sent, but could not be executed here (${code ?? ''}) ${visible(message ?? '')}`;
        case 'applied':
          return `${theme.good('✓')} ${user}: rolled back by event ${eventId ?? ''}`;
        case 'sent':
          return `${theme.good('✓')} ${user}: sent as event ${eventId ?? ''} at [${String(partition)}]@${String(offset)}; every service's consumer executes it`;
      }
    })
    .join('\n');
};

function renderCounts(sent: readonly SentRollback[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of sent) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, n]) => `${n.toLocaleString('en-US')} ${outcome}`);
  return `${sent.length.toLocaleString('en-US')} users: ${parts.join(', ')}`;
}
