import type { JsonObject, JsonValue } from '../../domain/event.ts';
import type { Decision } from '../../domain/fold.ts';

/**
 * The ledger columns that almost no event has, as one JSON text (null for most): one array on the wire instead of eight.
 * Keys: ceId, raw (base64), blockedBy, code, sqlState, message, detail.
 */
export function rareText(decision: Decision): string | null {
  const { event, error, blockedBy } = decision;
  const raw = event.kind === 'cud' ? null : event.value;
  if (event.ceId === null && raw === null && blockedBy === null && error === null) return null;
  const rare: JsonObject = {};
  if (event.ceId !== null) rare['ceId'] = keepable(event.ceId);
  if (raw !== null) rare['raw'] = raw.toString('base64');
  if (blockedBy !== null) rare['blockedBy'] = blockedBy;
  if (error !== null) {
    rare['code'] = error.code;
    rare['message'] = keepable(error.message);
    if (error.sqlState !== undefined) rare['sqlState'] = error.sqlState;
    if (error.detail !== undefined) rare['detail'] = keepableDetail(error.detail);
  }
  return JSON.stringify(rare);
}

function keepableDetail(detail: JsonObject): JsonObject {
  const strings = ([name, value]: [string, JsonValue]): [string, JsonValue] => [
    name,
    typeof value === 'string' ? keepable(value) : value,
  ];
  return Object.fromEntries(Object.entries(detail).map(strings));
}

/** PostgreSQL's text holds neither NUL nor half a surrogate pair: both become U+FFFD, so that the row can be kept. */
function keepable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
