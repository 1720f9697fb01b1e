import type { TimelineEvent, UserTimeline } from '../../../app/trace/user-timeline.ts';
import { visible } from '../../sanitize.ts';
import { padText } from '../../text-width.ts';
import { statusPaint, type Style } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';
import { detailTexts } from './timeline-details.ts';

/** Of what lies ahead so many, the next ones. */
const PENDING_SHOWN = 20;

/** One user's events, a day's heading above each day: a line each, and below it what there is to say of it. */
export function renderTimeline(timeline: UserTimeline, style: Style): string {
  const { theme } = style;
  const { userId, events, statuses, older, pending, aheadGap } = timeline;
  const places = new Map(events.map((event) => [event.eventId, placeText(event)]));
  const widths = {
    place: Math.max(0, ...[...places.values()].map(({ length }) => length)),
    operation: Math.max(0, ...events.map((event) => operationText(event).length)),
  };
  const counts = Object.entries(statuses).map(
    ([status, count]) => `${count.toLocaleString('en-US')} ${statusPaint(status, theme)(status)}`,
  );
  const lines = [`${theme.title(visible(`User ${userId}`))}  ${counts.join(', ')}`];
  if (older > 0)
    lines.push(theme.dim(`${older.toLocaleString('en-US')} older events are left out: -n shows more`));
  let day = '';
  for (const event of events) {
    const [date = '', time = ''] = event.timestamp.split(/[TZ.]/);
    if (date !== day) lines.push('', theme.dim(`${date} UTC`));
    day = date;
    const operation = padText(operationText(event), widths.operation);
    const head = `  ${time}  ${padText(placeText(event), widths.place)}  ${operation}  ${event.eventId}`;
    lines.push(`${head}  ${statusPaint(event.status, theme)(event.status)}`);
    const gap = ' '.repeat(14 + widths.place);
    for (const text of detailTexts(event, places)) {
      const room = style.width === null ? Infinity : style.width - gap.length;
      lines.push(...wrapText(visible(text), room, 3).map((line) => `${gap}${theme.dim(line)}`));
    }
  }
  if (pending.length > 0) {
    lines.push('', theme.dim('In the log, not executed by this service yet'));
    for (const { eventId, partition, offset, operation, operator, reason } of pending.slice(
      0,
      PENDING_SHOWN,
    )) {
      const what = `${String(partition)}@${offset.toString()}  ${operation ?? 'unreadable'}  ${eventId}`;
      lines.push(`  ${visible(what)}  ${statusPaint('pending', theme)('pending')}`);
      const who = [operator === null ? null : `by ${operator}`, reason].filter((part) => part !== null);
      if (who.length > 0) lines.push(`    ${theme.dim(visible(who.join(': ')))}`);
    }
  }
  const more = pending.length - PENDING_SHOWN;
  if (more > 0) lines.push(theme.dim(`  and ${more.toLocaleString('en-US')} more`));
  if (aheadGap !== null) lines.push('', theme.dim(visible(`More may be under way: ${aheadGap}.`)));
  return lines.join('\n');
}

function placeText({ partition, offset }: TimelineEvent): string {
  return `${String(partition)}@${offset.toString()}`;
}

function operationText({ operation, status, error }: TimelineEvent): string {
  return operation ?? (status === 'skipped' && error === null ? 'ignored' : 'unreadable');
}
