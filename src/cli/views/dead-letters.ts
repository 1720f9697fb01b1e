import type { DeadLetterEntry } from '../../app/dead-letters/list-letters.ts';
import type { RefusedLetter } from '../../app/dead-letters/letter-sorter.ts';
import type { PutBackResult } from '../../app/dead-letters/put-back.ts';
import { ageText, shortTime } from '../age-text.ts';
import { visible } from '../sanitize.ts';
import { renderTable, type Column } from '../table.ts';
import { cutText, displayWidth } from '../text-width.ts';
import type { Style } from '../theme.ts';

const WIDE = 110;
const COLUMNS: readonly Column[] = [
  { title: 'LETTER' },
  { title: 'FROM' },
  { title: 'USER' },
  { title: 'OPERATION' },
  { title: 'SYSTEM' },
  { title: 'WRITTEN' },
];

/** Dead letters, two lines each: from where, whose and when, then why. `nowMs` is what ages are counted from. */
export function renderDeadLetters(
  shown: readonly DeadLetterEntry[],
  total: number,
  style: Style,
  nowMs: number,
): string {
  const { theme, width } = style;
  if (total === 0) return `${theme.good('✓')} No dead letters`;
  const isWide = width === null || width >= WIDE;
  const cells = shown.map((entry) => [
    `${String(entry.partition)}@${entry.offset.toString()}`,
    originOf(entry),
    entry.userId ?? '',
    entry.operation ?? '',
    entry.system ?? 'unknown',
    isWide ? shortTime(entry.timestamp) : ageText(Date.parse(entry.timestamp), nowMs),
  ]);
  const [head = '', ...lines] = renderTable(COLUMNS, cells, style).split('\n');
  const rows = shown.flatMap((entry, at) => [lines[at] ?? '', reasonLine(entry, style)]);
  const more = shown.length < total ? `, the newest ${count(shown.length)} are shown` : '';
  return [
    head,
    ...rows,
    '',
    theme.warn(`${count(total)} dead ${total === 1 ? 'letter' : 'letters'}${more}`),
  ].join('\n');
}

function originOf({ originalTopic, originalPartition, originalOffset }: DeadLetterEntry): string {
  if (originalTopic === null) return '';
  return `${originalTopic}[${originalPartition === null ? '?' : String(originalPartition)}]@${originalOffset?.toString() ?? '?'}`;
}

function reasonLine(
  { exception, message, putBackAt, putBacks }: DeadLetterEntry,
  { theme, width }: Style,
): string {
  const name =
    visible(exception ?? '')
      .split('.')
      .at(-1) ?? '';
  const done = putBackAt === null ? '' : ` (put back ${shortTime(putBackAt)})`;
  const often = putBacks === 0 ? '' : ` (came back ${count(putBacks)}×)`;
  const room = width === null ? Infinity : Math.max(0, width - 4 - displayWidth(`${name}${often}${done}`));
  const text = cutText(visible(message ?? ''), room);
  const said = `${theme.bad(name)}${theme.warn(often)}${theme.good(done)}  ${text}`;
  return `  ${name + text === '' ? `${theme.dim('no reason is given')}${theme.warn(often)}${theme.good(done)}` : said}`.trimEnd();
}

/** Refused letters that are named one by one. */
const NAMED = 20;

/** What was put back, or would be, and what was not and why. */
export function renderPutBack(result: PutBackResult, { theme }: Style): string {
  const { deadLetterTopic, topic, isDryRun, putBack, already, refused, notWanted, overtaking, own } = result;
  const did = isDryRun ? 'would be put back' : 'put back';
  const lines = [
    `${theme.good('✓')} ${count(putBack)} ${putBack === 1 ? 'record' : 'records'} ${did} into ${visible(topic)} ${theme.dim(`from ${visible(deadLetterTopic)}`)}`,
  ];
  if (already > 0) lines.push(theme.dim(`  ${count(already)} put back before`));
  if (notWanted > 0) lines.push(theme.dim(`  ${count(notWanted)} left out by the filters`));
  for (const [other, letters] of Object.entries(result.otherTopics))
    lines.push(theme.dim(`  ${count(letters)} of topic ${visible(other)}: left alone, see --topic`));
  if (overtaking > 0) lines.push(theme.warn(overtakingLine(overtaking)));
  if (own > 0)
    lines.push(
      theme.warn(
        `  ${count(own)} of this tool's own: who runs it knows them; here \`retry EVENT\` executes again`,
      ),
    );
  if (refused.length > 0) lines.push(theme.bad(`✗ ${count(refused.length)} refused`));
  lines.push(...refused.slice(0, NAMED).map(refusedLine));
  if (refused.length > NAMED) lines.push(theme.dim(`  … --json names them all`));
  return lines.join('\n');
}

function overtakingLine(overtaking: number): string {
  const what =
    overtaking === 1 ? 'overtakes an earlier letter of its' : 'overtake an earlier letter of their';
  return `  ${count(overtaking)} ${what} key, which the filters leave out`;
}

function refusedLine({ partition, offset, userId, reason }: RefusedLetter): string {
  const user = userId === null ? '' : ` of user ${visible(userId)}`;
  return `  ${String(partition)}@${offset.toString()}${user}: ${WHY[reason]}`;
}

const WHY: Readonly<Record<RefusedLetter['reason'], string>> = {
  'too often': 'it came back as often as it may (--max-attempts)',
  'original gone': 'this system keeps no headers, and the topic has the original no longer',
  'behind refused': 'an earlier letter of its key is refused',
  'no dead letter': 'it has no headers of a dead letter',
};

function count(value: number): string {
  return value.toLocaleString('en-US');
}
