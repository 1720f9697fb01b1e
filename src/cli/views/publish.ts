import type { PreviewedRecord, PublishedEvent } from '../../app/publish.ts';
import type { PublishSummary } from '../../app/publish/publish-input.ts';
import { visible } from '../sanitize.ts';
import { renderTable, type Column } from '../table.ts';
import { statusPaint, type Style, type View } from '../theme.ts';

const count = (value: number): string => value.toLocaleString('en-US');

/** What was published, one event or many. */
export const renderPublish: View<PublishedEvent | PublishSummary> = (result, style) =>
  'eventId' in result ? renderPublished(result, style) : renderSummary(result, style);

/** One event: where it went, and with `--wait` what became of it. */
const renderPublished: View<PublishedEvent> = (event, style) => {
  const { theme } = style;
  const what = visible(`${event.operation ?? 'event'} of ${event.userId ?? ''}`);
  if (event.record !== undefined) {
    const where = `${event.topic}[${String(event.partition ?? '?')}]`;
    return `${theme.dim('Would publish')} ${what} to ${visible(where)}\n${renderPreview(event.record, style)}`;
  }
  const where = `${event.topic}[${String(event.partition)}]@${String(event.offset)}`;
  const lines = [
    `${theme.good('✓')} Published ${what} at ${theme.accent(visible(where))}`,
    `  event ${event.eventId}`,
  ];
  if (event.status !== undefined) {
    const paint = statusPaint(event.status, theme);
    lines.push(`  ${paint(event.status)}${event.errorCode == null ? '' : ` ${event.errorCode}`}`);
    if (event.hasFailures) lines.push(`  → Run \`user-events trace ${event.eventId}\`.`);
  }
  return lines.join('\n');
};

/** Many events: how many of what went where, how fast, and what did not. */
const renderSummary: View<PublishSummary> = (summary, style) => {
  const { theme } = style;
  const operations = Object.entries(summary.operations).map(
    ([operation, events]) => `${operation} ${count(events)}`,
  );
  const parts = [renderHead(summary, style)];
  if (operations.length > 0) parts.push(`  ${operations.join(', ')}`);
  if (summary.partitions.length > 0) parts.push(renderPartitions(summary, style));
  for (const record of summary.preview ?? []) parts.push(renderPreview(record, style));
  if (summary.rejected > 0) {
    const where = summary.rejectsFile === null ? '' : `, kept in ${visible(summary.rejectsFile)}`;
    parts.push(
      `${theme.bad('✗')} ${summary.rejected === 1 ? '1 line was' : `${count(summary.rejected)} lines were`} rejected${where}`,
    );
  }
  if (summary.outcomes !== undefined) parts.push(renderOutcomes(summary.outcomes, style));
  return parts.join('\n');
};

function renderHead(
  { dryRun, sent, topic, elapsedMs, eventsPerSecond }: PublishSummary,
  { theme }: Style,
): string {
  const events = `${count(sent)} ${sent === 1 ? 'event' : 'events'}`;
  if (dryRun) return `${theme.dim('Would publish')} ${events} to ${visible(topic)}`;
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  const speed = elapsedMs < 1000 ? seconds : `${seconds}, ${count(eventsPerSecond)}/s`;
  return `${theme.good('✓')} Published ${events} to ${visible(topic)} ${theme.dim(`(${speed})`)}`;
}

const PARTITION_COLUMNS: readonly Column[] = [
  { title: 'PARTITION', align: 'right' },
  { title: 'EVENTS', align: 'right' },
  { title: 'OFFSETS' },
];

function renderPartitions({ partitions }: PublishSummary, style: Style): string {
  const rows = partitions.map(({ partition, count: events, firstOffset, lastOffset }) => [
    String(partition),
    count(events),
    firstOffset === lastOffset ? String(firstOffset) : `${String(firstOffset)} to ${String(lastOffset)}`,
  ]);
  return renderTable(PARTITION_COLUMNS, rows, style);
}

function renderPreview(
  { eventId, partition, key, value, headers }: PreviewedRecord,
  { theme }: Style,
): string {
  const lines = [
    `event ${eventId}, partition ${partition === null ? 'of the log’s choice' : String(partition)}`,
    `key ${key ?? 'null'}`,
    `value ${value ?? 'null'}`,
    `headers ${headers.map((header) => `${header.key}=${header.value ?? ''}`).join(' ')}`,
  ];
  return lines.map((line) => `  ${theme.dim(visible(line))}`).join('\n');
}

function renderOutcomes(
  { statuses, failures }: NonNullable<PublishSummary['outcomes']>,
  { theme }: Style,
): string {
  const counts = Object.entries(statuses).map(
    ([status, events]) => `${statusPaint(status, theme)(status)} ${count(events)}`,
  );
  const named = failures.map(({ eventId, status, errorCode }) =>
    `  ${status} ${errorCode ?? ''} ${eventId}`.trimEnd(),
  );
  return [`Decided: ${counts.join(', ')}`, ...named].join('\n');
}
