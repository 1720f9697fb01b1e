import type { MatrixCell, ServiceColumn, TraceMatrix } from '../../../app/services/trace-matrix.ts';
import { shortTime } from '../../age-text.ts';
import { visible } from '../../sanitize.ts';
import { renderTable, type Cell } from '../../table.ts';
import { statusPaint, type Style, type Theme, type View } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';

/** Who has executed what: a row an event, a column a service; below, the services that could not answer. */
export const renderMatrix: View<TraceMatrix> = ({ userId, eventId, services, events }, style) => {
  const { theme } = style;
  const titles = [
    '',
    'PUBLISHED',
    'POSITION',
    'EVENT',
    'OPERATION',
    ...services.map(({ profile }) => profile),
  ];
  const rows = events.map((event): Cell[] => [
    event.eventId === eventId ? '▸' : '',
    shortTime(event.timestamp),
    `${String(event.partition)}@${event.offset.toString()}`,
    event.eventId,
    event.operation ?? 'unreadable',
    ...services.map((service) => cellOf(event.decisions[service.profile], theme)),
  ]);
  const table = renderTable(
    titles.map((title) => ({ title })),
    rows,
    style,
  );
  const notes = renderServiceErrors(services, style);
  return [theme.title(`User ${visible(userId)}`), table, ...notes].join('\n');
};

function cellOf(cell: MatrixCell | undefined, theme: Theme): Cell {
  if (cell === undefined) return { text: '?', paint: theme.dim };
  const why = cell.status === 'failed' && cell.code !== null ? ` ${cell.code}` : '';
  return { text: `${cell.status}${why}`, paint: statusPaint(cell.status, theme) };
}

/** A line for each service that could not answer. */
export function renderServiceErrors(
  services: readonly Pick<ServiceColumn, 'profile' | 'error'>[],
  { theme, width }: Style,
): readonly string[] {
  return services.flatMap(({ profile, error }) =>
    error === null
      ? []
      : wrapText(visible(`${profile}: ${error.message} (${error.code})`), width ?? Infinity).map((line) =>
          theme.bad(line),
        ),
  );
}
