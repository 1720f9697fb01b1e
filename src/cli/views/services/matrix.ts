import type { MatrixCell, ServiceColumn, TraceMatrix } from '../../../app/services/trace-matrix.ts';
import { shortTime } from '../../age-text.ts';
import { visible } from '../../sanitize.ts';
import { COLUMN_GAP, renderTable, type Cell } from '../../table.ts';
import { displayWidth } from '../../text-width.ts';
import { statusPaint, type Style, type Theme, type View } from '../../theme.ts';
import { wrapText } from '../../wrap-text.ts';

/** What is told of an event beside the services, the richest first: on a narrow terminal the services come first. */
const FACTS = [
  ['PUBLISHED', 'POSITION', 'EVENT', 'OPERATION'],
  ['POSITION', 'EVENT', 'OPERATION'],
  ['PUBLISHED', 'POSITION', 'OPERATION'],
  ['POSITION', 'OPERATION'],
] as const;
type Fact = (typeof FACTS)[0][number];

/** The longest status. A code behind it may be cut. */
const STATUS_WIDTH = 'rolled_back'.length;

/** Who has executed what: a row an event, a column a service; below, the services that could not answer. */
export const renderMatrix: View<TraceMatrix> = ({ userId, eventId, services, events }, style) => {
  const { theme } = style;
  const told = events.map(factsOf);
  const facts = factsThatFit(told, services, style.width ?? Infinity);
  const titles = ['', ...facts, ...services.map(({ profile }) => profile)];
  const rows = events.map((event, at): Cell[] => [
    event.eventId === eventId ? '▸' : '',
    ...facts.map((fact) => told[at]?.[fact] ?? ''),
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

function factsOf(event: TraceMatrix['events'][number]): Readonly<Record<Fact, string>> {
  return {
    PUBLISHED: shortTime(event.timestamp),
    POSITION: `${String(event.partition)}@${event.offset.toString()}`,
    EVENT: event.eventId,
    OPERATION: event.operation ?? 'unreadable',
  };
}

function factsThatFit(
  told: readonly Readonly<Record<Fact, string>>[],
  services: readonly ServiceColumn[],
  room: number,
): readonly Fact[] {
  const widthOf = (fact: Fact): number => Math.max(fact.length, ...told.map((each) => each[fact].length));
  const ofServices = services.map(({ profile }) => Math.max(STATUS_WIDTH, displayWidth(visible(profile))));
  const fits = (facts: readonly Fact[]): boolean => {
    const widths = [1, ...facts.map(widthOf), ...ofServices];
    return widths.reduce((sum, width) => sum + width + COLUMN_GAP, -COLUMN_GAP) <= room;
  };
  return FACTS.find(fits) ?? FACTS[FACTS.length - 1] ?? [];
}

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
