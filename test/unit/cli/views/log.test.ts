import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LogRow } from '../../../../src/app/log/printed.ts';
import { displayWidth } from '../../../../src/cli/text-width.ts';
import { PLAIN_STYLE, type Style } from '../../../../src/cli/theme.ts';
import { createLogTable, LOG_COLUMNS, type LogColumn } from '../../../../src/cli/views/log.ts';

const ID = '01a20e3a-dc48-7000-b000-28c823473b14';
const UUID_USER = '7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11';

const row = (more: Partial<LogRow> = {}): LogRow => ({
  timestamp: Date.UTC(2026, 0, 31, 8, 30, 15, 250),
  partition: 0,
  offset: 7n,
  operation: 'create',
  kind: 'cud',
  userId: 'u1',
  eventId: ID,
  status: 'applied',
  value: '{"userId":"u1","name":"Ada Lovelace"}',
  ...more,
});
const at = (width: number | null): Style => ({ ...PLAIN_STYLE, width });
const render = (rows: readonly LogRow[], style: Style, chosen?: readonly LogColumn[]): string[] =>
  createLogTable(style, chosen)(rows).split('\n');

describe('the table of log', () => {
  test('in 80 columns has no ids, of which there would be but a part, and shows values instead', () => {
    expect(
      render([row(), row({ offset: 10n, userId: null, operation: null, kind: 'unreadable' })], at(80)),
    ).toEqual([
      'TIME                 POSITION  OPERATION   USER  STATUS   VALUE',
      '2026-01-31 08:30:15       0@7  create      u1    applied  {"userId":"u1","name"…',
      '2026-01-31 08:30:15      0@10  unreadable  none  applied  {"userId":"u1","name"…',
    ]);
  });

  test('in 80 columns leaves a UUID as user id as much room as there is', () => {
    expect(render([row({ userId: UUID_USER })], at(80))).toEqual([
      'TIME                 POSITION  OPERATION  USER                           STATUS',
      '2026-01-31 08:30:15       0@7  create     7f0c1c52-9d0b-4d3e-8a57-0d5f…  applied',
    ]);
  });

  test.each([100, 120])('in %i columns shows the event whole and cuts the user before it', (width) => {
    const lines = render([row({ userId: UUID_USER })], at(width));
    expect(lines[1]).toContain(`  applied  ${ID}`);
    expect(lines[1]).toMatch(/ {2}7f0c1c52-9[-0-9a-f]*… /);
  });

  test('in 140 columns shows both ids whole, and of the value what is left', () => {
    expect(render([row({ userId: UUID_USER })], at(140)).at(-1)).toBe(
      `2026-01-31 08:30:15       0@7  create     ${UUID_USER}  applied  ${ID}  {"userId":"u…`,
    );
  });

  test('keeps wide, joined and right-to-left characters in line, and lets no control character through', () => {
    const users = ['田中太郎', '👨‍👩‍👧-fam', 'e\u0301clair', 'שלום', 'evil\u001b[31m\u202e\n'];
    const [head = '', ...lines] = render(
      users.map((userId) => row({ userId })),
      at(120),
    );
    const place = displayWidth(head.slice(0, head.indexOf('STATUS')));
    for (const line of lines) expect(displayWidth(line.slice(0, line.indexOf('applied')))).toBe(place);
    expect(lines.at(-1)).toContain('evil\\x1b[31m\\u202e\\n');
  });

  test('shows what is chosen, in that order, a value beside others too', () => {
    const long = row({ value: `{"userId":"u1","name":"${'x'.repeat(200)}"}`, userId: UUID_USER });
    expect(render([long], at(60), ['value', 'position', 'user'])).toEqual([
      'VALUE         POSITION  USER',
      '{"userId":"…       0@7  7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11',
    ]);
    expect(render([long], at(60), ['event', 'position'])[1]).toBe(`${ID}  0@7`);
  });

  test('is cut nowhere without a terminal', () => {
    const long = row({ userId: 'x'.repeat(100), value: 'y'.repeat(300) });
    expect(render([long], at(null))[1]).toBe(
      `2026-01-31 08:30:15       0@7  create     ${'x'.repeat(100)}  applied  ${ID}  ${'y'.repeat(300)}`,
    );
  });

  test('has no title but on the first page, and keeps its columns from there on', () => {
    const table = createLogTable(at(80));
    expect(table([row()]).split('\n')).toHaveLength(2);
    expect(table([row({ userId: 'u2' })])).toBe(
      '2026-01-31 08:30:15       0@7  create     u2    applied  {"userId":"u1","name":…',
    );
  });

  test('has no line that is wider than the terminal, and no part of an event id, whatever is in it', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    const rows = fc.array(
      fc.record({ userId: fc.option(text), value: fc.option(text), offset: fc.bigInt(0n, 10n ** 12n) }),
      { minLength: 1, maxLength: 4 },
    );
    const chosen = fc.option(fc.uniqueArray(fc.constantFrom(...LOG_COLUMNS), { minLength: 1 }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 10, max: 200 }), chosen, (all, width, columns) => {
        for (const line of render(all.map(row), at(width), columns)) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          if (columns === undefined && width >= 60)
            expect(line).not.toMatch(/01a20e3a(?!-dc48-7000-b000-28c823473b14)/);
        }
      }),
    );
  });
});
