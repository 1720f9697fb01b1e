import type { BenchArguments } from './arguments.ts';
import type { Figure, Samples } from './figure.ts';
import type { Machine } from './machine.ts';

export interface BenchResult {
  readonly bench: string;
  readonly arguments: BenchArguments;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

/** One object: `{_command, _version, bench, events, runs, machine, figures: [...]}`, numbers unrounded. */
export function renderJson({ bench, arguments: asked, machine, figures }: BenchResult): string {
  const { events, runs, only } = asked;
  const shape = { _command: 'bench', _version: 1, bench, events, runs, only, machine, figures };
  return `${JSON.stringify(shape)}\n`;
}

const HEADINGS = ['part', 'figure', 'median', 'min - max', 'unit', 'of the floor', 'bar', ''];
const RIGHT = new Set([2, 3, 5]);

/** A table of text columns: figure, median, min to max, ratio to the floor, the bar and whether it is met. */
export function renderTable({ bench, arguments: asked, machine, figures }: BenchResult): string {
  const { events, runs } = asked;
  const { cpu, cores, node, kafka, postgres, date, load } = machine;
  const head = [
    `bench ${bench}: ${events.toLocaleString('en-US')} events, median of ${String(runs)} runs`,
    `${cpu}, ${String(cores)} cores, Node ${node}, Kafka ${kafka ?? 'none'}, PostgreSQL ${postgres ?? 'none'}, load ${String(load)}, ${date}`,
  ];
  const rows = [HEADINGS, ...figures.map(rowOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const notes = figures.flatMap(({ part, name, note }) =>
    note === null ? [] : [`${part}, ${name}: ${note}`],
  );
  return `${[...head, '', ...lines, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')}\n`;
}

function rowOf({ part, name, median, min, max, unit, ratio, bar }: Figure): readonly string[] {
  return [
    part,
    name,
    shown(median),
    `${shown(min)} - ${shown(max)}`,
    unit,
    ratio === null ? '' : shownRatio(ratio),
    bar?.text ?? '',
    bar === null ? '' : bar.isMet ? 'met' : 'NOT MET',
  ];
}

function shownRatio({ median, min, max }: Samples): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} - ${max.toFixed(2)})`;
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '-';
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 });
}
