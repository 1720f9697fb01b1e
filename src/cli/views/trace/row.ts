import type { FieldEffect, RowEffect } from '../../../app/trace/row-effect.ts';
import type { JsonObject } from '../../../domain/event.ts';
import type { RawJson } from '../../../domain/raw-json.ts';
import { renderFields, renderTable, type Cell } from '../../table.ts';
import type { Style, Theme } from '../../theme.ts';

/** Fields that stay as they are: so many are shown, the rest is counted. */
const UNCHANGED_SHOWN = 4;
/** Fields that are shown of a wide row. */
const SHOWN = 16;

const TITLES = {
  did: ['BEFORE', 'AFTER'],
  would: ['NOW', 'WITH THIS EVENT'],
  gone: ['WITHOUT IT', 'WITH IT'],
  drift: ['LEDGER SAYS', 'TABLE HAS'],
} as const satisfies Record<RowEffect['kind'], readonly [string, string]>;

/** What of an event's story its row is told with. */
interface RowStory {
  /** Marked most of all. */
  readonly atFault: ReadonlySet<string>;
  /** It is not in effect now, and never was. */
  readonly hadNoEffect: boolean;
}

/** The row before and after, field by field: what changes is marked. */
export function renderRow(effect: RowEffect, { atFault, hadNoEffect }: RowStory, style: Style): string {
  const { theme } = style;
  // An update of a user who is not there: there is nothing to set it against.
  if (effect.before === null && effect.after === null) return renderNoRow(effect, style);
  const [from, to] = TITLES[effect.kind];
  const fields = chosen(effect.fields);
  const rows = fields.map((field) => fieldCells(field, effect, isAtFault(field, atFault), theme));
  const columns = [
    { title: '  FIELD' },
    { title: effect.before === null ? `${from}: no row` : from },
    { title: effect.after === null ? `${to}: no row` : to },
  ];
  const table =
    rows.length === 0
      ? [theme.dim(`  ${emptyText(effect)}`)]
      : [indent(renderTable(columns, rows, narrower(style)))];
  const rest = effect.fields.length - fields.length;
  if (rest > 0)
    table.push(theme.dim(`    ${String(rest)} more ${rest === 1 ? 'field' : 'fields'}, unchanged`));
  return [
    theme.title('Row') + theme.dim(hadNoEffect ? '  had no effect' : sourceText(effect)),
    ...table,
  ].join('\n');
}

function renderNoRow({ fields }: RowEffect, style: Style): string {
  const shown = fields
    .slice(0, SHOWN)
    .map(({ field, after }): [string, Cell] => [field, valueCell(after, '', style.theme)]);
  const head = `${style.theme.title('Row')}${style.theme.dim('  there is none')}`;
  return shown.length === 0 ? head : [head, indent(renderFields(shown, narrower(style)))].join('\n');
}

/** What an event carries, where there is no row to set it against. */
export function renderCarried(fields: JsonObject, style: Style): string {
  const entries = Object.entries(fields);
  const shown = entries
    .slice(0, SHOWN)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const);
  const rest = entries.length - shown.length;
  const lines = [style.theme.title('Carries'), indent(renderFields(shown, narrower(style)))];
  if (rest > 0) lines.push(style.theme.dim(`  ${String(rest)} more`));
  return lines.join('\n');
}

function chosen(fields: readonly FieldEffect[]): readonly FieldEffect[] {
  const told = fields.filter(({ isCarried, isChanged }) => isCarried || isChanged);
  const unchanged = fields.filter(({ isCarried, isChanged }) => !isCarried && !isChanged);
  return [...told, ...unchanged.slice(0, UNCHANGED_SHOWN)].slice(0, Math.max(SHOWN, told.length));
}

function isAtFault({ field, fault }: FieldEffect, atFault: ReadonlySet<string>): boolean {
  return fault !== undefined || atFault.has(field);
}

function fieldCells(
  field: FieldEffect,
  { before, after }: RowEffect,
  isGuilty: boolean,
  theme: Theme,
): readonly Cell[] {
  const { isChanged } = field;
  const name = {
    text: `${isGuilty ? '✗' : isChanged ? '~' : ' '} ${field.field}`,
    paint: isGuilty ? theme.bad : plain,
  };
  const old = valueCell(field.before, before === undefined ? '?' : before === null ? '' : '(default)', theme);
  const now = valueCell(field.after, after === null ? '' : '(default)', theme);
  if (!isChanged && !isGuilty) return [name, { ...old, paint: theme.dim }, { ...now, paint: theme.dim }];
  return [name, old, { ...now, paint: isGuilty ? theme.bad : theme.good }];
}

function valueCell(
  value: RawJson | undefined,
  absent: string,
  { dim }: Theme,
): { readonly text: string; readonly paint: Theme['dim'] } {
  if (value === undefined) return { text: absent, paint: dim };
  const text = valueText(value);
  return { text, paint: value.text === 'null' ? dim : plain };
}

/** A value as people read it: a text without quotes, NULL, the rest as JSON. */
export function valueText({ text }: RawJson): string {
  const parsed: unknown = JSON.parse(text);
  if (parsed === null) return 'NULL';
  return typeof parsed === 'string' ? parsed : text;
}

function plain(text: string): string {
  return text;
}

function sourceText({ kind, source }: RowEffect): string {
  if (kind === 'drift') return '  changed from outside the log';
  if (source === 'unknown') return '  what it was before is not kept';
  if (source === 'table') return '  as the table has it now';
  if (kind === 'gone') return '  withdrawn: without effect';
  return source === 'fold' ? '  folded from the events before' : '';
}

function emptyText({ before, after }: RowEffect): string {
  if (before === null) return after === null ? 'There is no row.' : 'A row of defaults.';
  return after === null ? 'The row goes.' : 'It carries no fields.';
}

/** A style for what is indented by two. */
function narrower(style: Style): Style {
  return style.width === null ? style : { ...style, width: style.width - 2 };
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
