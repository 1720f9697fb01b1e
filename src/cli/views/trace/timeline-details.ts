import type { FieldEffect } from '../../../app/trace/row-effect.ts';
import type { TimelineEvent } from '../../../app/trace/user-timeline.ts';
import { shortTime } from '../../age-text.ts';
import { cutText } from '../../text-width.ts';
import { valueText } from './row.ts';

/** Decisions that are shown of one event: `trace EVENT` shows the rest. */
const DECISIONS_SHOWN = 4;
/** Columns that one value may take. */
const VALUE_WIDTH = 60;

/**
 * What there is to say of an event below its line, a text each: who published it, what it did to the row, why it failed,
 * what it has to do with others, and how it was decided again. `places` has the places of the events that are shown.
 */
export function detailTexts(event: TimelineEvent, places: ReadonlyMap<string, string>): readonly string[] {
  const { error, status, decisions } = event;
  const older = decisions.count - Math.min(decisions.newest.length, DECISIONS_SHOWN);
  return [
    publishedText(event),
    changeText(event),
    error === null ? null : status === 'rolled_back' ? `withdrawn (was ${error.code})` : errorText(error),
    error !== null && status !== 'rolled_back' ? saidText(error.detail?.['detail']) : null,
    relationText(event, places),
    older > 0 ? `${older.toLocaleString('en-US')} earlier decisions: trace ${event.eventId}` : null,
    ...decisions.newest.slice(-DECISIONS_SHOWN).map((decision) => decisionText(decision, places)),
  ].flatMap((text) => (text === null || text === '' ? [] : [text]));
}

/** Of a rollback its operator and reason count, of any other event the service that its record names. */
function publishedText({ operator, reason, source, decidedAt }: TimelineEvent): string {
  const who = operator ?? source;
  const published = who === null ? '' : `, published by ${who}${reason === null ? '' : `: ${reason}`}`;
  return `decided ${shortTime(decidedAt)}${published}`;
}

function changeText({ change, fields }: TimelineEvent): string {
  if (change === null) return fields.join(', ');
  const { kind, isThere } = change;
  const told = change.fields.map((field) => fieldText(field, isThere.before === null)).join(', ');
  const would = kind === 'would' ? 'would ' : '';
  if (isThere.after === false)
    return `${isThere.before === false ? 'no row to change' : `${would}delete the row`}${told === '' ? '' : `: ${told}`}`;
  if (told === '') return '';
  return `${kind === 'would' ? 'would set ' : kind === 'gone' ? 'without effect: ' : ''}${told}`;
}

/** `name Ada → Ada King`; `isUnknown`: what it was before is not kept. */
function fieldText({ field, before, after, isChanged }: FieldEffect, isUnknown: boolean): string {
  const [from, to] = [before, after].map((value) =>
    value === undefined ? null : cutText(valueText(value), VALUE_WIDTH),
  );
  if (to == null) return `${field} ${from ?? ''}`;
  if (isUnknown || from == null || !isChanged) return `${field} ${to}`;
  return `${field} ${from} → ${to}`;
}

function errorText({ code, message, detail }: NonNullable<TimelineEvent['error']>): string {
  const constraint = detail?.['constraint'];
  return `${code}${typeof constraint === 'string' ? ` ${constraint}` : ''}: ${message}`;
}

/** What PostgreSQL said of the value. */
function saidText(detail: unknown): string | null {
  return typeof detail === 'string' ? detail : null;
}

function relationText(
  { withdraws, withdrawnBy, blockedBy, parked, attempts, status }: TimelineEvent,
  places: ReadonlyMap<string, string>,
): string {
  const place = (id: string): string => places.get(id) ?? id;
  const by = status === 'rolled_back' ? 'withdrawn by' : 'awaits rollback';
  return [
    withdraws === null ? null : `withdraws ${withdraws.map(place).join(', ')}`,
    withdrawnBy.length === 0 ? null : `${by} ${withdrawnBy.map(place).join(', ')}`,
    blockedBy === null ? null : `waits behind ${place(blockedBy)}`,
    parked === 0 ? null : `holds back ${parked.toLocaleString('en-US')}`,
    attempts > 1 ? `${attempts.toLocaleString('en-US')} attempts` : null,
  ]
    .filter((part) => part !== null)
    .join('; ');
}

/** `2026-01-01 00:00:00Z failed DATABASE_CONSTRAINT: retry by olga@desk: the address is mended`. */
function decisionText(
  { at, cause, causedBy, operator, reason, status, code }: TimelineEvent['decisions']['newest'][number],
  places: ReadonlyMap<string, string>,
): string {
  const by = operator === null ? '' : ` by ${operator}`;
  const through = causedBy === null ? '' : ` (${places.get(causedBy) ?? causedBy})`;
  const outcome = code === null ? status : `${status} ${code}`;
  return `${shortTime(at.toISOString())} ${outcome}: ${cause}${by}${through}${reason === null ? '' : `: ${reason}`}`;
}
