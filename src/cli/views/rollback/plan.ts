import type { Planned, ModeChoice } from '../../../app/rollback/request.ts';
import type { UserPlan } from '../../../app/rollback/user-plan.ts';
import type { JsonObject, JsonValue } from '../../../domain/event.ts';
import { visible } from '../../sanitize.ts';
import { renderTable, type Cell } from '../../table.ts';
import { statusPaint, type Style, type Theme } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';

/** A plan of many users is told of the first ones alone. */
export const PLANS_SHOWN = 20;

/** One way in which it could end for a user: a column of the tables. */
interface Way {
  readonly title: string;
  readonly plan: UserPlan;
}

/** What would happen to each user: the row now and then, field by field, and every event whose status would change. */
export function renderPlans({ plans, rejected, aheadGap }: Planned, style: Style): string {
  const { theme } = style;
  const parts = plans.slice(0, PLANS_SHOWN).map((plan) => renderPlan(plan, style));
  if (plans.length > PLANS_SHOWN) parts.push(renderTotals(plans, style));
  if (rejected.length > 0) {
    const named = rejected
      .slice(0, PLANS_SHOWN)
      .map(({ code, message }) => `  ${visible(message)} (${code})`);
    parts.push([theme.bad(`${count(rejected.length, 'event')} cannot be rolled back:`), ...named].join('\n'));
  }
  if (aheadGap !== null && plans.length > 0)
    parts.push(theme.warn(`What is sent and not executed here yet may be missing: ${visible(aheadGap)}.`));
  return parts.join('\n\n');
}

/** The same where it is to be chosen between the two modes: a column for each. */
export function renderChoice({ only, cascade, others }: ModeChoice, style: Style): string {
  const rest = PLANS_SHOWN - others.length;
  const open = only.slice(0, Math.max(1, rest)).map((plan, at) => {
    const other = cascade[at];
    const ways = [
      { title: 'ONLY', plan },
      ...(other === undefined ? [] : [{ title: 'CASCADE', plan: other }]),
    ];
    const head = `${headOf(plan, style)}: ${count(plan.outlook.later.length, 'later event')} in the way`;
    return [head, ...bodyOf(ways, style)].join('\n');
  });
  if (open.length < only.length)
    open.push(style.theme.dim(`… and ${count(only.length - open.length, 'more user')}`));
  const told =
    others.length === 0 ? '' : `${renderPlans({ plans: others, rejected: [], aheadGap: null }, style)}\n\n`;
  return `${told}${open.join('\n\n')}`;
}

function renderPlan(plan: UserPlan, style: Style): string {
  const { theme } = style;
  const { decision, kind, mode, later } = plan.outlook;
  const head = headOf(plan, style);
  if (plan.underWay !== null) {
    const { eventId, partition, offset, operator } = plan.underWay;
    const by = operator === null ? '' : ` by ${operator}`;
    const place = visible(`${eventId} at [${String(partition)}]@${String(offset)}${by}`);
    const what = `${head}: ${theme.warn('under way')}: rollback ${place} is sent, and not executed here yet`;
    return [what, ...bodyOf([{ title: 'THEN', plan }], style)].join('\n');
  }
  if (plan.failedHere !== null) {
    const { eventId, error } = plan.failedHere;
    const why = error === null ? '' : ` (${error.code}: ${error.message})`;
    const text = `User ${plan.userId}: already rolled back, but not here: event ${eventId} failed${why}. It waits for retry.`;
    return wrapText(visible(text), style.width ?? Infinity)
      .map((line) => theme.bad(line))
      .join('\n');
  }
  if (kind === 'already') return `${head}: already rolled back, nothing to do`;
  if (!decision.isAccepted) return refusalText(`User ${plan.userId}: `, plan, style);
  const parts = [
    `${head}: roll back ${count(plan.targets.length, 'event')} (${mode})`,
    ...bodyOf([{ title: 'THEN', plan }], style),
  ];
  if (kind === 'choose')
    parts.push(
      theme.warn(
        `${count(later.length, 'later event')} of this user would stay (--only) or go too (--cascade).`,
      ),
    );
  return parts.join('\n');
}

/** The tables of a user: fields, then events; and what is to be said below. */
function bodyOf(ways: readonly Way[], style: Style): readonly string[] {
  const { theme } = style;
  const [first] = ways;
  if (first === undefined) return [];
  const tried = ways.filter(({ plan }) => plan.outlook.decision.isAccepted && plan.isTriedOut);
  const parts: string[] = [];
  const fields = fieldRows(tried, theme);
  if (fields.length > 0) parts.push(tableOf(['FIELD', 'NOW'], tried, fields, style));
  else if (tried.some(({ plan }) => plan.obstacle === null)) parts.push(theme.dim('The row stays as it is.'));
  const events = eventRows(tried, theme);
  if (events.length > 0) parts.push(tableOf(['EVENT', 'OPERATION', 'NOW'], tried, events, style));
  for (const { title, plan } of ways) {
    const way = ways.length === 1 ? '' : `${title}: `;
    if (!plan.outlook.decision.isAccepted) parts.push(refusalText(way, plan, style));
    if (plan.obstacle === null) continue;
    const { code, message } = plan.obstacle;
    const text = `${way}it could not be executed here as things are (${code}): ${message}`;
    parts.push(...wrapText(visible(text), style.width ?? Infinity).map((line) => theme.bad(line)));
  }
  if (!first.plan.isTriedOut && first.plan.outlook.decision.isAccepted)
    parts.push(theme.dim('Decided, not tried out: --dry-run tries it out.'));
  const waiting = first.plan.pending.filter(({ eventId }) => eventId !== first.plan.underWay?.eventId);
  if (waiting.length > 0) {
    const events = waiting.map(({ operation }) => operation ?? 'unreadable').join(', ');
    parts.push(
      theme.warn(
        `Not executed here yet, and not in the table: ${count(waiting.length, 'event')} (${events}).`,
      ),
    );
  }
  return parts;
}

function headOf({ userId }: UserPlan, { theme }: Style): string {
  return theme.title(`User ${visible(userId)}`);
}

/** `lead` says whose or which way it is. */
function refusalText(lead: string, { outlook: { decision } }: UserPlan, { theme, width }: Style): string {
  if (decision.isAccepted) return '';
  const text = visible(`${lead}refused (${decision.code}) ${decision.message}:`);
  const lines = wrapText(text, width ?? Infinity).map((line) => theme.bad(line));
  return [...lines, ...decision.events.map((id) => `  ${visible(id)}`)].join('\n');
}

function tableOf(
  heads: readonly string[],
  ways: readonly Way[],
  rows: readonly (readonly Cell[])[],
  style: Style,
): string {
  const titles = [...heads, ...ways.map(({ title }) => title)];
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
    style,
  );
}

/** The fields that any of the ways changes. */
function fieldRows(ways: readonly Way[], theme: Theme): Cell[][] {
  const [first] = ways;
  if (first === undefined) return [];
  const { now } = first.plan;
  const thens = ways.map(({ plan }) => plan.then);
  const fields = [...new Set([now, ...thens].flatMap((row) => Object.keys(row ?? {})))];
  const isSame = (row: JsonObject | null, field: string): boolean =>
    JSON.stringify(now?.[field]) === JSON.stringify(row?.[field]);
  return fields
    .filter((field) => !thens.every((row) => isSame(row, field)))
    .map((field) => [
      field,
      { text: shownValue(now?.[field]), paint: theme.bad },
      ...thens.map((row) => ({
        text: shownValue(row?.[field]),
        paint: isSame(row, field) ? theme.dim : theme.good,
      })),
    ]);
}

/** The events whose status any of the ways changes. */
function eventRows(ways: readonly Way[], theme: Theme): Cell[][] {
  const events = new Map(ways.flatMap(({ plan }) => plan.changes.map((change) => [change.eventId, change])));
  return [...events.values()].map(({ eventId, operation, from }) => [
    eventId,
    operation ?? '?',
    { text: from, paint: statusPaint(from, theme) },
    ...ways.map(({ plan }) => {
      const to = plan.changes.find((change) => change.eventId === eventId)?.to ?? from;
      return { text: to, paint: statusPaint(to, theme) };
    }),
  ]);
}

/** A field's value in a cell; a field of no row is `(no row)`. */
export function shownValue(value: JsonValue | undefined): string {
  if (value === undefined) return '(no row)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `… and 9,980 more users`, and what all of them come to. */
function renderTotals(plans: readonly UserPlan[], { theme }: Style): string {
  const refused = plans.filter(({ outlook }) => !outlook.decision.isAccepted).length;
  const underWay = plans.filter((plan) => plan.underWay !== null).length;
  const done = plans.filter(
    ({ outlook, underWay: way }) => outlook.kind === 'already' && way === null,
  ).length;
  const obstacles = plans.filter(({ obstacle }) => obstacle !== null).length;
  const parts = [
    `${(plans.length - refused - underWay - done).toLocaleString('en-US')} to send`,
    ...(underWay > 0 ? [`${underWay.toLocaleString('en-US')} under way`] : []),
    ...(done > 0 ? [`${done.toLocaleString('en-US')} already rolled back`] : []),
    ...(refused > 0 ? [`${refused.toLocaleString('en-US')} refused`] : []),
    ...(obstacles > 0 ? [`${obstacles.toLocaleString('en-US')} not executable here as things are`] : []),
  ];
  const isTriedOut = plans.every((plan) => plan.isTriedOut || !plan.outlook.decision.isAccepted);
  const how = isTriedOut ? '' : ' (decided, not tried out: --dry-run tries them out)';
  return [
    theme.dim(`… and ${count(plans.length - PLANS_SHOWN, 'more user')}`),
    `${count(plans.length, 'user')}: ${parts.join(', ')}${how}`,
  ].join('\n');
}

/** `1 event`, `2 events`. */
export function count(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}
