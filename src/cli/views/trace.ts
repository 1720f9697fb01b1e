import type { EventTrace, TracedError, TracedStatus } from '../../app/trace/event-trace.ts';
import { ageText } from '../age-text.ts';
import { visible } from '../sanitize.ts';
import { statusPaint, type Style } from '../theme.ts';
import { padText } from '../text-width.ts';
import { wrapText } from '../wrap-text.ts';
import { renderCarried, renderRow } from './trace/row.ts';
import { renderRelations } from './trace/relations.ts';

/** Of one text so many lines: the whole of it is in the JSON. */
const MOST_LINES = 4;

/** One event's whole story on a screen. `nowMs` is what ages are counted from. */
export function renderTrace(trace: EventTrace, style: Style, nowMs: number): string {
  const sections = [
    `${renderHead(trace, style)}\n${renderFacts(trace, style, nowMs)}`,
    ...(trace.error === null ? [] : [renderWhy(trace.error, trace.status, style)]),
    ...renderContent(trace, style),
    ...renderRelations(trace, style),
    ...(trace.next.length === 0 ? [] : [renderNext(trace, style)]),
  ];
  return sections.join('\n\n');
}

const HEADS: Readonly<Record<TracedStatus, readonly [mark: string, text: string]>> = {
  applied: ['✓', 'was applied'],
  failed: ['✗', 'failed'],
  parked: ['•', 'is parked'],
  rolled_back: ['•', 'was rolled back'],
  skipped: ['•', 'was skipped'],
  refused: ['✗', 'was refused'],
  pending: ['•', 'is pending: this service has not read it'],
};

function renderHead({ operation, userId, status, error }: EventTrace, { theme }: Style): string {
  const [mark, text] = HEADS[status];
  const paint = statusPaint(status, theme);
  const what = operation ?? (status === 'skipped' && error === null ? 'ignored event' : 'unreadable event');
  const whose = userId === null ? 'of no user' : `of user ${userId}`;
  return `${paint(mark)} ${theme.title(visible(`${what} ${whose}`))} ${paint(text)}`;
}

function renderFacts(trace: EventTrace, style: Style, nowMs: number): string {
  const { published, topic, partition, offset, timestamp, decidedAt, attempts, rollback } = trace;
  const by = published.source === null ? '' : ` by ${published.source}`;
  const tries = attempts > 1 ? `, ${attempts.toLocaleString('en-US')} attempts` : '';
  const facts: (readonly [string, string | null])[] = [
    ['event', trace.eventId],
    ['ce_id', trace.ceId],
    ['ce_type', trace.operation === null ? published.type : null],
    ['position', `${topic}[${String(partition)}]@${offset.toString()}`],
    ['published', `${withAge(timestamp, nowMs)}${by}`],
    ['asked by', rollback === null ? null : askedText(rollback)],
    ['caused by', published.causationId],
    ['trace', published.traceparent],
    ['record', published.missing],
    ['decided', decidedAt === null ? null : `${withAge(decidedAt, nowMs)}${tries}`],
    ['backlog', backlogText(trace)],
  ];
  return facts.flatMap(([label, text]) => (text === null ? [] : hanging(label, text, style))).join('\n');
}

function withAge(iso: string, nowMs: number): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : `${iso} (${ageText(time, nowMs)})`;
}

function askedText({ operator, reason, mode, force, upTo }: NonNullable<EventTrace['rollback']>): string {
  const terms = [mode, force ? 'force' : null, upTo === null ? null : `up to ${upTo}`];
  const who = operator ?? 'nobody named';
  return `${who} (${terms.filter((term) => term !== null).join(', ')})${reason === null ? '' : `: ${reason}`}`;
}

function backlogText({ backlog, partition, offset }: EventTrace): string | null {
  if (backlog === null) return null;
  if (backlog.isBeforeStart) return 'before the offset where this service began: it is never executed here';
  if (backlog.nextOffset === null) return `this service has not begun to read partition ${String(partition)}`;
  const before = offset - backlog.nextOffset;
  return before === 0n
    ? 'the next one of its partition'
    : `${before.toLocaleString('en-US')} before it in its partition`;
}

const LABEL_WIDTH = 9;
const INDENT = '  ';

function hanging(label: string, text: string, { width, theme }: Style): readonly string[] {
  const gap = LABEL_WIDTH + 2 * INDENT.length;
  const lines = wrapText(visible(text), width === null ? Infinity : width - gap, MOST_LINES);
  return lines.map((line, at) =>
    at === 0
      ? `${INDENT}${theme.dim(padText(label, LABEL_WIDTH))}${INDENT}${line}`
      : `${' '.repeat(gap)}${line}`,
  );
}

function renderWhy(error: TracedError, status: TracedStatus, style: Style): string {
  const { theme } = style;
  const title =
    status === 'pending'
      ? 'It will fail'
      : status === 'failed' || status === 'refused'
        ? 'Why'
        : 'Had failed';
  const state = error.sqlState === undefined ? '' : theme.dim(`  SQLSTATE ${visible(error.sqlState)}`);
  const lines = [error.message, ...placeTexts(error)].flatMap((text) => indented(text, style));
  const isOpen = status === 'failed' || status === 'refused' || status === 'pending';
  const hint = isOpen && error.hint !== '' ? indented(`→ ${error.hint}`, style) : [];
  return [`${theme.title(title)}  ${theme.bad(visible(error.code))}${state}`, ...lines, ...hint].join('\n');
}

/** What PostgreSQL said of the value, then where: constraint, column, type. */
function placeTexts({ detail = {}, constraint, invalid }: TracedError): readonly string[] {
  const { schema, table, column, dataType, constraint: named, detail: said, events } = detail;
  const where = typeof schema === 'string' && typeof table === 'string' ? ` of ${schema}.${table}` : '';
  const texts: string[] = [];
  if (typeof said === 'string') texts.push(said);
  if (typeof column === 'string') {
    texts.push(`column ${column}${where}${typeof dataType === 'string' ? `, type ${dataType}` : ''}`);
  }
  for (const value of invalid) texts.push(`column ${value.column} takes ${value.type}`);
  if (typeof named === 'string') {
    const definition = constraint === null ? '' : `: ${constraint.definition}`;
    texts.push(`constraint ${named}${where}${definition}`);
  }
  if (constraint?.heldBy != null) texts.push(`user ${constraint.heldBy} has the value now`);
  if (Array.isArray(events)) texts.push(...events.slice(0, MOST_LINES).map(String));
  return texts;
}

function indented(text: string, { width }: Style): readonly string[] {
  const room = width === null ? Infinity : width - INDENT.length;
  return wrapText(visible(text), room, MOST_LINES).map((line) => `${INDENT}${line}`);
}

/** The row where there is one to show, else what the event carries, else its bytes. */
function renderContent(trace: EventTrace, style: Style): readonly string[] {
  const { row, fields, raw, rowMissing, operation } = trace;
  const sections: string[] = [];
  if (row !== null)
    sections.push(
      renderRow(row, { atFault: fieldsAtFault(trace.error), hadNoEffect: hadNoEffect(trace) }, style),
    );
  else if (fields !== null && Object.keys(fields).length > 0) sections.push(renderCarried(fields, style));
  if (raw !== null) {
    const text = raw.encoding === 'text' ? raw.value : `base64 ${raw.value}`;
    sections.push([style.theme.title('Value'), ...indented(text, style)].join('\n'));
  }
  if (rowMissing !== null && operation !== null && operation !== 'rollback')
    sections.push(
      [`${style.theme.title('Row')}  cannot be shown`, ...indented(rowMissing, style)].join('\n'),
    );
  return sections;
}

/** The reason why an event failed is kept when it is withdrawn or skipped, and no other event has one. */
function hadNoEffect({ status, error }: EventTrace): boolean {
  return status === 'skipped' || (status === 'rolled_back' && error !== null);
}

function fieldsAtFault(error: TracedError | null): ReadonlySet<string> {
  const { column, field } = error?.detail ?? {};
  const named = [column, field].filter((name) => typeof name === 'string');
  const invalid = error?.invalid.map((value) => value.column) ?? [];
  return new Set([...named, ...invalid, ...(error?.constraint?.columns ?? [])]);
}

/** As comments and commands, to be copied whole. */
function renderNext({ next }: EventTrace, { theme }: Style): string {
  const lines = next.flatMap(({ command, purpose }) => [
    `${INDENT}${theme.dim(`# ${purpose}`)}`,
    `${INDENT}${theme.accent(visible(command))}`,
  ]);
  return [theme.title('Next'), ...lines].join('\n');
}
