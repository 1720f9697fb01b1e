import type { DecidedAgain } from '../../app/decide-again.ts';
import { visible } from '../sanitize.ts';
import { renderTable } from '../table.ts';
import { statusPaint, type View } from '../theme.ts';

export interface DecidedAgainResult {
  readonly events: readonly DecidedAgain[];
}

const ROWS_SHOWN = 50;

/** One line an event, and the counts: for `retry` and `skip`. */
export const renderDecidedAgain: View<DecidedAgainResult> = ({ events }, style) => {
  if (events.length === 0) return 'No event is failed: nothing to do';
  const rows = events
    .slice(0, ROWS_SHOWN)
    .map(({ eventId, userId, isChanged, status, code, message }) => [
      eventId,
      userId ?? '',
      { text: status, paint: statusPaint(status, style.theme) },
      isChanged ? [code, message].filter((part) => part !== null).join(' ') : 'was not failed: left as it is',
    ]);
  const table = renderTable(
    [{ title: 'EVENT' }, { title: 'USER' }, { title: 'STATUS' }, { title: '' }],
    rows,
    style,
  );
  const counts = new Map<string, number>();
  for (const { status } of events) counts.set(status, (counts.get(status) ?? 0) + 1);
  const summary = [...counts]
    .map(([status, n]) => `${n.toLocaleString('en-US')} ${visible(status)}`)
    .join(', ');
  return events.length > 1 ? `${table}\n${summary}` : table;
};

/** 7 where an event is still failed. */
export function exitOfDecided(events: readonly DecidedAgain[]): 0 | 7 {
  return events.some(({ status }) => status === 'failed') ? 7 : 0;
}
