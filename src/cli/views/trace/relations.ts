import type { Decisions, EventRef, EventTrace, Parked } from '../../../app/trace/event-trace.ts';
import { shortTime } from '../../age-text.ts';
import { visible } from '../../sanitize.ts';
import { displayWidth } from '../../text-width.ts';
import { statusPaint, type Style, type Theme } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';

/** Rollbacks and decisions that fit a screen. */
const NEWEST_SHOWN = 4;

/** What an event has to do with others: waits behind, holds back, withdraws, was withdrawn by; a section each. */
export function renderRelations(trace: EventTrace, style: Style): readonly string[] {
  const { blockedBy, parked, withdrawnBy, underWay, rollback, decisions, status } = trace;
  const sections: string[] = [];
  if (blockedBy !== null) {
    const title = status === 'pending' ? 'Would wait behind' : 'Waits behind';
    sections.push(renderRefs(title, '', [blockedBy], style));
  }
  if (parked.count > 0) sections.push(renderList('Holds back', parked, 'later event', style));
  if (rollback !== null) {
    if (rollback.withdraws !== null) {
      const title = status === 'failed' ? 'Is to withdraw' : 'Withdraws';
      sections.push(renderList(title, rollback.withdraws, 'event', style));
    } else {
      const targets = rollback.targets.slice(0, NEWEST_SHOWN).map((id) => `  ${visible(id)}`);
      const more = rollback.targets.length - targets.length;
      if (more > 0) targets.push(style.theme.dim(`  and ${String(more)} more`));
      sections.push([style.theme.title('Targets'), ...targets].join('\n'));
    }
  }
  if (withdrawnBy.length > 0) sections.push(renderWithdrawals(trace, style));
  if (underWay.length > 0) sections.push(renderUnderWay(underWay, style));
  if (decisions.count > 0) sections.push(renderDecisions(decisions, style));
  return sections;
}

function renderList(title: string, { count, first }: Parked, what: string, style: Style): string {
  const more = count - first.length;
  const text = renderRefs(title, `  ${counted(count, what)}`, first, style);
  return more > 0 ? `${text}\n${style.theme.dim(`  and ${more.toLocaleString('en-US')} more`)}` : text;
}

function renderRefs(title: string, note: string, refs: readonly EventRef[], style: Style): string {
  const { theme } = style;
  const lines = refs.map((ref) => `  ${ref.eventId}  ${refText(ref, theme)}`);
  return [theme.title(title) + note, ...lines].join('\n');
}

/** `2@41 update failed USER_EXISTS`. */
function refText({ partition, offset, operation, status, code }: EventRef, theme: Theme): string {
  const why = status === 'failed' && code !== null ? ` ${code}` : '';
  const place = `${String(partition)}@${offset.toString()}`;
  return `${place} ${operation ?? 'unreadable'} ${statusPaint(status, theme)(status)}${visible(why)}`;
}

function renderWithdrawals({ withdrawnBy, status }: EventTrace, style: Style): string {
  const { theme } = style;
  const lines = withdrawnBy.slice(-NEWEST_SHOWN).flatMap((rollback) => {
    const { eventId, isStanding, operator, reason, timestamp, mode } = rollback;
    const effect = isStanding ? '' : theme.dim(' (not in effect: withdrawn itself, or skipped)');
    const who = [shortTime(timestamp), mode, operator === null ? null : `by ${operator}`].filter(
      (part) => part !== null,
    );
    return [
      `  ${eventId}  ${refText(rollback, theme)}${effect}`,
      ...detail(`${who.join(' ')}${quoted(reason)}`, style),
    ];
  });
  return [theme.title(status === 'rolled_back' ? 'Withdrawn by' : 'Listed by'), ...lines].join('\n');
}

/** Rollbacks that are sent, and not executed here yet. */
function renderUnderWay(rollbacks: EventTrace['underWay'], style: Style): string {
  const { theme } = style;
  const lines = rollbacks.slice(-NEWEST_SHOWN).flatMap(({ eventId, partition, offset, operator, reason }) => {
    const who = `${operator === null ? 'sent' : `by ${operator}`}${quoted(reason)}`;
    const place = `${String(partition)}@${offset.toString()}`;
    return [
      `  ${eventId}  ${place} rollback ${statusPaint('pending', theme)('pending')}`,
      ...detail(who, style),
    ];
  });
  return [`${theme.title('Under way')}  not executed by this service yet`, ...lines].join('\n');
}

/** The trail of every decision after the first. */
function renderDecisions({ count, newest }: Decisions, style: Style): string {
  const { theme } = style;
  const shown = newest.slice(-NEWEST_SHOWN);
  const older = count - shown.length;
  const lines = shown.flatMap(({ at, cause, causedBy, operator, reason, status, code }) => {
    const by = operator === null ? '' : ` by ${operator}`;
    const through = causedBy === null ? '' : ` (event ${causedBy})`;
    const why = `${cause}${by}${through}${quoted(reason)}`;
    const outcome = `${status}${code === null ? '' : ` ${code}`}`;
    const head = `  ${shortTime(at.toISOString())}  `;
    const painted = head + statusPaint(status, theme)(visible(outcome));
    const isShort =
      style.width === null || head.length + outcome.length + 2 + displayWidth(visible(why)) <= style.width;
    return isShort ? [`${painted}  ${theme.dim(visible(why))}`] : [painted, ...detail(why, style)];
  });
  const note = older > 0 ? theme.dim(`  ${older.toLocaleString('en-US')} older ones are left out`) : '';
  return [`${theme.title('Decided again')}${note}`, ...lines].join('\n');
}

function detail(text: string, { width, theme }: Style): readonly string[] {
  return wrapText(visible(text), width === null ? Infinity : width - 4, 2).map(
    (line) => `    ${theme.dim(line)}`,
  );
}

function quoted(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}

function counted(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}
