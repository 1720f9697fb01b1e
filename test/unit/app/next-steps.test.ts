import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { EventRef, RollbackRef } from '../../../src/app/trace/event-trace.ts';
import { nextSteps, type Situation } from '../../../src/app/trace/next-steps.ts';
import { sameLedgerFlags, sameServiceFlags } from '../../../src/cli/same-service.ts';
import { STATUSES } from '../../../src/domain/event.ts';

const SURFACE = new URL('../../../command-surface.json', import.meta.url);
const ID = '0190a3c4-7e1b-7c3d-8e4f-000000000001';
const REF: EventRef = {
  eventId: ID,
  operation: 'create',
  status: 'failed',
  partition: 0,
  offset: 1n,
  code: null,
};
const ROLLBACK: RollbackRef = {
  ...REF,
  timestamp: '2026-01-02T02:55:00.123Z',
  isStanding: true,
  mode: 'only',
  operator: null,
  reason: null,
};
const FLAGS = { profile: 'prod', schema: 'two', brokers: 'a:9092', topic: 'users' };

/** Every kind of situation that leads to other commands. */
const SITUATIONS: readonly Situation[] = [...STATUSES, 'pending' as const].flatMap((status) =>
  ['update', 'rollback'].flatMap((operation) =>
    [
      null,
      'UNREADABLE' as const,
      'DRIFT' as const,
      'IMAGE_PRUNED' as const,
      'WOULD_INVALIDATE' as const,
    ].flatMap((code) =>
      [null, 'u1'].map((userId) => ({
        eventId: ID,
        operation,
        userId,
        status,
        code,
        blockedBy: status === 'parked' ? REF : null,
        withdrawnBy: [ROLLBACK],
        targets: [ID],
        isBeforeStart: false,
      })),
    ),
  ),
);

async function flagsOf(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const surface = JSON.parse(await readFile(SURFACE, 'utf8')) as Record<string, { flags: object }>;
  return new Map(Object.entries(surface).map(([name, { flags }]) => [name, new Set(Object.keys(flags))]));
}

test('every command that is named has the flags that it is named with', async () => {
  const known = await flagsOf();
  const same = { logAndLedger: sameServiceFlags(FLAGS), ledger: sameLedgerFlags(FLAGS) };
  const commands = new Set(SITUATIONS.flatMap((each) => nextSteps(each, same)).map(({ command }) => command));
  const unknown = [...commands].flatMap((command) => {
    const [, name = ''] = command.split(' ');
    const flags = [...command.matchAll(/ --([a-z-]+)/g)].map(([, flag = '']) => flag);
    return flags.filter((flag) => known.get(name)?.has(flag) !== true).map((flag) => `${name} --${flag}`);
  });
  expect(unknown).toEqual([]);
  const names = new Set([...commands].map((command) => command.split(' ')[1]));
  expect([...names].sort()).toEqual(['consume', 'retry', 'rollback', 'skip', 'status', 'trace']);
});

test('a command that has flags of the log is named with those, others with the schema alone', () => {
  const failed = SITUATIONS.find(
    ({ status, userId, code }) => status === 'failed' && userId !== null && code === null,
  );
  const same = { logAndLedger: sameServiceFlags(FLAGS), ledger: sameLedgerFlags(FLAGS) };
  const commands = failed === undefined ? [] : nextSteps(failed, same).map(({ command }) => command);
  expect(commands).toEqual([
    `user-events retry ${ID} --profile prod --schema two`,
    `user-events rollback --event-id ${ID} --dry-run --profile prod --schema two --brokers a:9092 --topic users`,
    `user-events skip ${ID} --reason "…" --profile prod --schema two`,
  ]);
});
