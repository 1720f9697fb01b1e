import { describe, expect, test } from '@jest/globals';
import type { EventTrace } from '../../../../src/app/trace/event-trace.ts';
import { PLAIN_STYLE, type Style } from '../../../../src/cli/theme.ts';
import { renderTrace } from '../../../../src/cli/views/trace.ts';
import { effect, FAILED, field, ID, NOW, OTHER } from '../../../support/sample-trace.ts';

const AT_80: Style = { ...PLAIN_STYLE, width: 80 };

describe('the story of a failed event', () => {
  test('fits a screen of 80 columns', () => {
    expect(renderTrace(FAILED, AT_80, NOW).split('\n')).toEqual([
      '✗ update of user u2 failed',
      `  event      ${ID}`,
      '  position   users[0]@7',
      '  published  2026-01-02T02:55:00.123Z (4 min ago) by urn:crm',
      '  decided    2026-01-02T02:55:01.000Z (4 min ago), 2 attempts',
      '',
      'Why  DATABASE_CONSTRAINT  SQLSTATE 23505',
      '  duplicate key value violates unique constraint "email_unique"',
      '  Key (email)=(ada@example.com) already exists.',
      '  constraint email_unique of public.users: UNIQUE (email)',
      '  user u1 has the value now',
      '  → Mend the row.',
      '',
      'Row  as the table has it now',
      '    FIELD  NOW              WITH THIS EVENT',
      '  ✗ email  bob@example.com  ada@example.com',
      '  ~ age    NULL             41',
      '    name   Bob              Bob',
      '',
      'Holds back  3 later events',
      `  ${OTHER}  0@8 update parked`,
      '  and 2 more',
      '',
      'Decided again',
      '  2026-01-02 02:58:00Z  failed DATABASE_CONSTRAINT  retry by ops@host: mended',
      '',
      'Next',
      '  # execute it again',
      `  user-events retry ${ID}`,
    ]);
  });

  test('keeps to the width, and to four lines of a long text', () => {
    const long = { ...FAILED.error, code: 'DATABASE_VALUE' as const, message: 'word '.repeat(200) };
    const text = renderTrace(
      { ...FAILED, error: { ...long, hint: '', constraint: null, invalid: [], detail: {} } },
      { ...PLAIN_STYLE, width: 60 },
      NOW,
    );
    const lines = text.split('\n');
    expect(lines.filter((line) => line.startsWith('  word'))).toHaveLength(4);
    expect(lines.filter((line) => line.length > 60 && !line.includes(ID) && !line.includes(OTHER))).toEqual(
      [],
    );
  });

  test('is safe to print, whatever the log and the database hold', () => {
    const evil = 'x\u001b[2J\u202e\n';
    const text = renderTrace(
      {
        ...FAILED,
        userId: evil,
        ceId: evil,
        topic: evil,
        published: { ...FAILED.published, source: evil, traceparent: evil, causationId: evil, missing: evil },
        error: {
          code: 'DATABASE_CONSTRAINT',
          message: evil,
          sqlState: evil,
          hint: '',
          detail: { schema: evil, table: evil, column: evil, constraint: evil, detail: evil, dataType: evil },
          constraint: { name: evil, definition: evil, columns: [], isUnique: true, heldBy: evil },
          invalid: [{ column: evil, type: evil }],
        },
        row: effect('would', 'table', [field(evil, JSON.stringify(evil), JSON.stringify(evil), true)]),
        raw: { value: evil, encoding: 'text' },
        rowMissing: evil,
        decisions: {
          count: 1,
          newest: FAILED.decisions.newest.map((row) => ({ ...row, operator: evil, reason: evil })),
        },
      },
      AT_80,
      NOW,
    );
    // eslint-disable-next-line no-control-regex -- control characters are what this looks for
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(text).toContain('x\\x1b[2J\\u202e\\n');
  });
});

describe('the story of other events', () => {
  const render = (more: Partial<EventTrace>): string =>
    renderTrace({ ...FAILED, error: null, parked: { count: 0, first: [] }, next: [], ...more }, AT_80, NOW);

  test('of one that is applied says what the row was and became', () => {
    const row = { ...effect('did', 'image', [field('name', '"A"', '"B"', true)]), before: null };
    const text = render({ status: 'applied', row });
    expect(text).toMatch(/^✓ update of user u2 was applied$/m);
    expect(text).toContain('FIELD  BEFORE: no row  AFTER\n');
  });

  test('of one that is pending says how far away it is', () => {
    const pending = { status: 'pending', decidedAt: null, decisions: { count: 0, newest: [] } } as const;
    expect(render({ ...pending, backlog: { nextOffset: 5n, isBeforeStart: false } })).toContain(
      '  backlog    2 before it in its partition\n',
    );
    expect(render({ ...pending, backlog: { nextOffset: null, isBeforeStart: false } })).toContain(
      'this service has not begun to read partition 0',
    );
    expect(render({ ...pending, backlog: { nextOffset: 9n, isBeforeStart: true } })).toContain(
      'before the offset where this service began',
    );
  });

  test('of one that was rolled back names the rollback, who, and why', () => {
    const rollback = {
      eventId: OTHER,
      operation: 'rollback',
      status: 'applied',
      partition: 0,
      offset: 9n,
    } as const;
    const text = render({
      status: 'rolled_back',
      withdrawnBy: [
        {
          ...rollback,
          code: null,
          timestamp: '2026-01-02T02:59:00.000Z',
          isStanding: true,
          mode: 'cascade',
          operator: 'ops@host',
          reason: 'wrong import',
        },
      ],
    });
    expect(text).toContain(
      `Withdrawn by\n  ${OTHER}  0@9 rollback applied\n    2026-01-02 02:59:00Z cascade by ops@host: wrong import\n`,
    );
  });

  test('of what cannot be read shows the value', () => {
    const text = render({
      operation: null,
      userId: null,
      row: null,
      fields: null,
      raw: { value: '{"oops', encoding: 'text' },
    });
    expect(text).toMatch(/^✗ unreadable event of no user failed$/m);
    expect(text).toContain('Value\n  {"oops');
  });

  test('of an event that was withdrawn or skipped before it was executed says that it had no effect', () => {
    const row = effect('gone', 'unknown', [field('name', '"A"', '"B"', true)]);
    expect(render({ status: 'rolled_back', row, error: FAILED.error })).toContain('Row  had no effect\n');
    expect(render({ status: 'skipped', row })).toContain('Row  had no effect\n');
    expect(render({ status: 'rolled_back', row })).toContain('Row  what it was before is not kept');
  });

  test('of a wide row counts the fields that stay as they are', () => {
    const same = Array.from({ length: 10 }, (_, at) => field(`f${String(at)}`, '1', '1', false));
    const text = render({ row: effect('would', 'table', [field('name', '"A"', '"B"', true), ...same]) });
    expect(text).toContain('    6 more fields, unchanged');
  });
});
