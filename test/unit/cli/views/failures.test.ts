import { describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../../src/app/failures.ts';
import { PLAIN_STYLE, type Style } from '../../../../src/cli/theme.ts';
import { renderFailures } from '../../../../src/cli/views/failures.ts';

const NOW = Date.UTC(2026, 0, 2, 3);
const AT_80: Style = { ...PLAIN_STYLE, width: 80 };

const FAILURE: Failure = {
  eventId: '0190a3c4-7e1b-7c3d-8e4f-000000000001',
  userId: 'u1',
  operation: 'create',
  partition: 1,
  offset: 41n,
  timestamp: '2026-01-02T02:00:00.000Z',
  class: 'database',
  code: 'DATABASE_CONSTRAINT',
  sqlState: '23505',
  message: 'duplicate key value violates unique constraint "email_unique"',
  detail: { constraint: 'email_unique', detail: 'Key (email)=(a@x) already exists.' },
  attempts: 1,
  decidedAt: '2026-01-02T02:52:00.000Z',
  parked: 1200,
};
const RULE: Failure = {
  ...FAILURE,
  eventId: '0190a3c4-7e1b-7c3d-8e4f-000000000002',
  operation: null,
  userId: null,
  code: 'UNREADABLE',
  sqlState: null,
  message: 'the value is not JSON',
  detail: null,
  parked: 0,
};

const render = (shown: readonly Failure[], style: Style, failed = shown.length): string[] => {
  const codes = [
    { code: 'DATABASE_CONSTRAINT' as const, failed: failed - 1, parked: 1200 },
    { code: 'UNREADABLE' as const, failed: 1, parked: 0 },
  ];
  const summary = { failed, parked: 1200, codes };
  return renderFailures({ shown, summary, isFiltered: false, flags: ' --schema two' }, style, NOW).split(
    '\n',
  );
};

describe('a list of failures', () => {
  test('has two lines each in 80 columns, the id whole, and the counts below', () => {
    expect(render([FAILURE, RULE], AT_80)).toEqual([
      'EVENT                                 USER  OPERATION   FAILED     PARKED',
      '0190a3c4-7e1b-7c3d-8e4f-000000000001  u1    create      8 min ago   1,200',
      '  DATABASE_CONSTRAINT 23505 email_unique  Key (email)=(a@x) already exists.',
      '0190a3c4-7e1b-7c3d-8e4f-000000000002        unreadable  8 min ago',
      '  UNREADABLE  the value is not JSON',
      '',
      '2 failed, 1,200 parked behind them: 1 DATABASE_CONSTRAINT, 1 UNREADABLE',
      'Why, and what to do: user-events trace EVENT --schema two',
    ]);
  });

  test('has positions and times where there is room', () => {
    const [head = '', line = ''] = render([FAILURE], { ...PLAIN_STYLE, width: 120 });
    expect(head).toMatch(/EVENT +USER +OPERATION +POSITION +FAILED +PARKED/);
    expect(line).toMatch(/ 1@41 +2026-01-02 02:52:00Z +1,200$/);
  });

  test('has the id below, whole, where a terminal is too narrow for it beside the rest', () => {
    expect(render([FAILURE, RULE], { ...PLAIN_STYLE, width: 60 }).slice(0, 7)).toEqual([
      'USER  OPERATION   FAILED     PARKED',
      'u1    create      8 min ago   1,200',
      `  ${FAILURE.eventId}`,
      '  DATABASE_CONSTRAINT 23505 email_unique  Key (email)=(a@x)…',
      '      unreadable  8 min ago',
      `  ${RULE.eventId}`,
      '  UNREADABLE  the value is not JSON',
    ]);
  });

  test('cuts a long user id and a long reason rather than the event id', () => {
    const long = { ...FAILURE, userId: 'u'.repeat(60), detail: null, message: 'word '.repeat(40) };
    const [, line = '', reason = ''] = render([long, RULE], AT_80);
    expect(line).toContain(FAILURE.eventId);
    expect(line).toContain('uuu…');
    expect([line.length <= 80, reason.length]).toEqual([true, 80]);
  });

  test('says how many are not shown', () => {
    expect(render([FAILURE], AT_80, 1204).slice(-3)).toEqual([
      '1,204 failed, 1,200 parked behind them: 1,203 DATABASE_CONSTRAINT, 1 UNREADABLE',
      'Shown: the newest 1 of 1,204. -n N shows more, --json all.',
      'Why, and what to do: user-events trace EVENT --schema two',
    ]);
  });

  test('breaks the counts between codes where they do not fit a line', () => {
    expect(render([FAILURE], { ...PLAIN_STYLE, width: 76 }, 1204).slice(-4, -2)).toEqual([
      '1,204 failed, 1,200 parked behind them',
      '  1,203 DATABASE_CONSTRAINT, 1 UNREADABLE',
    ]);
  });

  test('is safe to print', () => {
    const evil = 'x\u001b[2J\n';
    const lines = render([{ ...FAILURE, userId: evil, message: evil, detail: { constraint: evil } }], AT_80);
    expect(lines).toHaveLength(6);
    expect(lines.join('')).not.toContain('\u001b');
  });

  test('says that nothing failed, or nothing like that', () => {
    const empty = { flags: '', shown: [], summary: { failed: 0, parked: 0, codes: [] } };
    expect(renderFailures({ ...empty, isFiltered: false }, AT_80, NOW)).toBe('✓ Nothing failed');
    expect(renderFailures({ ...empty, isFiltered: true }, AT_80, NOW)).toBe('No failed event is like that.');
  });
});
