import type { ServicePlans } from '../../../app/services/plan-in-each.ts';
import type { UserPlan } from '../../../app/rollback/user-plan.ts';
import type { JsonObject } from '../../../domain/event.ts';
import { visible } from '../../sanitize.ts';
import { renderTable, type Cell } from '../../table.ts';
import type { Style, Theme, View } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';
import { count, PLANS_SHOWN, shownValue } from '../rollback/plan.ts';
import { renderServiceErrors } from './matrix.ts';

export interface PlansInServices {
  readonly services: readonly ServicePlans[];
}

/** What one user's plan is in one service; null where that service has none. */
interface Column {
  readonly profile: string;
  readonly plan: UserPlan | null;
}

/** The plan of each user, the services side by side. */
export const renderPlansInServices: View<PlansInServices> = ({ services }, style) => {
  const { theme } = style;
  const answered = services.filter(({ planned }) => planned !== null);
  const userIds = [
    ...new Set(answered.flatMap(({ planned }) => planned?.plans.map(({ userId }) => userId) ?? [])),
  ];
  const parts = userIds.slice(0, PLANS_SHOWN).map((userId) => {
    const columns = answered.map(({ profile, planned }): Column => {
      return { profile, plan: planned?.plans.find((plan) => plan.userId === userId) ?? null };
    });
    return renderUser(userId, columns, style);
  });
  if (userIds.length > PLANS_SHOWN)
    parts.push(theme.dim(`… and ${count(userIds.length - PLANS_SHOWN, 'more user')}: all are in --json`));
  const rejected = answered.flatMap(({ profile, planned }) =>
    (planned?.rejected ?? []).map(({ code, message }) =>
      theme.bad(visible(`${profile}: ${message} (${code})`)),
    ),
  );
  const notes = [...rejected.slice(0, PLANS_SHOWN), ...renderServiceErrors(services, style)];
  return [
    ...parts,
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    theme.dim('Dry run: nothing was sent.'),
  ].join('\n\n');
};

function renderUser(userId: string, columns: readonly Column[], style: Style): string {
  const { theme } = style;
  const lines = [theme.title(`User ${visible(userId)}`)];
  const fields = fieldRows(columns, theme);
  const heads = columns.flatMap(({ profile }) => [`${profile} NOW`, 'THEN']);
  if (fields.length > 0) lines.push(tableOf(['FIELD', ...heads], fields, style));
  const events = eventRows(columns);
  const profiles = columns.map(({ profile }) => profile);
  if (events.length > 0) lines.push(tableOf(['EVENT', 'OPERATION', ...profiles], events, style));
  for (const { profile, plan } of columns) {
    const note = noteOf(plan);
    if (note !== null)
      lines.push(
        ...wrapText(visible(`${profile}: ${note}`), style.width ?? Infinity).map((line) => theme.warn(line)),
      );
  }
  return lines.join('\n');
}

function tableOf(titles: readonly string[], rows: readonly (readonly Cell[])[], style: Style): string {
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
    style,
  );
}

/** The fields that the rollback changes in any of the services. */
function fieldRows(columns: readonly Column[], theme: Theme): Cell[][] {
  const rows = columns.map(({ plan }) => ({ now: plan?.now ?? null, then: plan?.then ?? null }));
  const names = [
    ...new Set(rows.flatMap(({ now, then }) => [...Object.keys(now ?? {}), ...Object.keys(then ?? {})])),
  ];
  return names
    .filter((name) => rows.some((row) => isChanged(row, name)))
    .map((name) => [
      name,
      ...rows.flatMap((row): Cell[] => [
        shownValue(row.now?.[name]),
        { text: shownValue(row.then?.[name]), paint: isChanged(row, name) ? theme.good : theme.dim },
      ]),
    ]);
}

function isChanged(
  { now, then }: { now: JsonObject | null; then: JsonObject | null },
  name: string,
): boolean {
  return JSON.stringify(now?.[name]) !== JSON.stringify(then?.[name]);
}

/** The events whose status changes in any of the services. */
function eventRows(columns: readonly Column[]): Cell[][] {
  const changes = columns.map(({ plan }) => new Map(plan?.changes.map((change) => [change.eventId, change])));
  const events = new Map(changes.flatMap((each) => [...each]));
  return [...events.values()].map(({ eventId, operation }) => [
    eventId,
    operation ?? '?',
    ...changes.map((each) => {
      const change = each.get(eventId);
      return change === undefined ? '=' : `${change.from} → ${change.to}`;
    }),
  ]);
}

function noteOf(plan: UserPlan | null): string | null {
  if (plan === null) return 'knows none of these events';
  const { outlook, obstacle, underWay, failedHere } = plan;
  const { decision, kind, later } = outlook;
  if (!decision.isAccepted)
    return `refused (${decision.code}) ${decision.message}: ${decision.events.join(', ')}`;
  if (underWay !== null) return `under way as event ${underWay.eventId}`;
  if (failedHere !== null)
    return `already rolled back, but not here: event ${failedHere.eventId} failed and waits for retry`;
  if (kind === 'already') return 'already rolled back';
  if (obstacle !== null) return `could not be executed as things are (${obstacle.code}): ${obstacle.message}`;
  return kind === 'choose' ? `${count(later.length, 'later event')} in the way: --only or --cascade` : null;
}
