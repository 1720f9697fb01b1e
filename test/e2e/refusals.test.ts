import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../src/errors/codes.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { OutgoingRollbackEvent } from '../../src/domain/envelope.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { configFile } from '../support/config-file.ts';
import { runCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { openService, type Service } from '../support/services-under-test.ts';

const id = (n: number): string => `018f3c1e-7b7c-7def-8abc-0000000e${String(n).padStart(4, '0')}`;
const [CREATE, UPDATE, WRONG, OTHER, UNKNOWN] = [id(1), id(2), id(3), id(4), id(999)];
const TABLE = `create table public.users (user_id text primary key, name text,
  email text constraint email_has_an_at check (email like '%@%'))`;

/** What a refusal is told with on stderr: its code, what happened, and what to do about it. */
function expectRefusal(
  result: { exitCode: number | null; stdout: string; stderr: string },
  code: ErrorCode,
): void {
  expect(result).toMatchObject({ exitCode: ERROR_CODES[code].exit, stdout: '' });
  const lines = result.stderr.trimEnd().split('\n');
  expect(lines.find((line) => line.startsWith('✗'))).toMatch(new RegExp(`^✗ .{10,} \\(${code}\\)$`));
  expect(lines.at(-1)).toMatch(/^ {2}→ .{10,}/);
}

describeKafka('every refusal has its message, code and exit', () => {
  let service: Service;
  let log: EventLog;
  let partition: number;
  beforeAll(async () => {
    const topic = uniqueName('refusals');
    service = await openService({ topic, table: TABLE });
    log = createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'refusals', topic, patience: 'short' });
    await service.run(['publish', 'create', 'ada', '--name', 'Ada', '--event-id', CREATE]);
    await service.run(['publish', 'update', 'ada', '--name', 'Ada K', '--event-id', UPDATE]);
    await service.run(['publish', 'create', 'bob', '--email', 'nowhere', '--event-id', WRONG]);
    await log.append([{ key: null, value: Buffer.from('no JSON'), headers: [], partition: 0 }]);
    await service.catchUp(7);
    const { stdout } = await service.run(['trace', CREATE, '--json']);
    ({ partition } = JSON.parse(stdout) as { partition: number });
  }, 90_000);
  afterAll(async () => {
    await log.close();
    await service.database.drop();
  });

  const unreadable = async (): Promise<string> => {
    const { stdout } = await service.run(['failures', '--class', 'unreadable', '--json']);
    return (JSON.parse(stdout) as { eventId: string }).eventId;
  };

  describe('of a command', () => {
    test.each<[what: string, code: ErrorCode, args: readonly string[], env?: Record<string, string>]>([
      ['nothing named to roll back', 'USAGE', ['rollback', '--yes']],
      ['nothing named to retry', 'USAGE', ['retry']],
      ['nothing named to skip', 'USAGE', ['skip', '--reason', 'x']],
      ['a skip without a reason', 'USAGE', ['skip', WRONG]],
      ['both modes', 'USAGE', ['rollback', '--event-id', UPDATE, '--only', '--cascade']],
      ['an event and a filter', 'USAGE', ['rollback', '--event-id', WRONG, '--sqlstate', '23']],
      ['what is no event id', 'USAGE', ['rollback', '--event-id', 'ada']],
      ['a code that no event fails with', 'USAGE', ['rollback', '--code', 'NONE', '--only', '--yes']],
      ['a time that is none', 'USAGE', ['retry', '--since', 'yesterday', '--yes']],
      ['a file that is not there', 'USAGE', ['rollback', '--from-file', '/nowhere/ids', '--yes']],
      ['an unknown event to roll back', 'EVENT_NOT_FOUND', ['rollback', '--event-id', UNKNOWN, '--yes']],
      ['an unknown event to retry', 'EVENT_NOT_FOUND', ['retry', UNKNOWN]],
      ['an unknown event to skip', 'EVENT_NOT_FOUND', ['skip', UNKNOWN, '--reason', 'x']],
      ['later events in the way', 'LATER_EVENTS', ['rollback', '--event-id', CREATE, '--yes']],
      ['nobody to ask, for a rollback', 'NO_TERMINAL', ['rollback', '--event-id', WRONG, '--only']],
      ['nobody to ask, for many retries', 'NO_TERMINAL', ['retry', '--all-failed']],
      ['nobody to ask, for many skips', 'NO_TERMINAL', ['skip', '--sqlstate', '23', '--reason', 'x']],
      [
        'a broker that is away',
        'LOG_UNREACHABLE',
        ['rollback', '--event-id', WRONG, '--only', '--yes'],
        { KAFKA_BROKERS: '127.0.0.1:1' },
      ],
      [
        'a database that is away',
        'DATABASE_UNREACHABLE',
        ['rollback', '--event-id', WRONG, '--only', '--yes'],
        { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
      ],
      [
        'another schema',
        'NOT_INITIALISED',
        ['rollback', '--event-id', WRONG, '--only', '--yes', '--schema', 'elsewhere'],
      ],
    ])(
      '%s is %s',
      async (_, code, args, env = {}) => {
        expectRefusal(await runCli(args, { env: { ...service.env, ...env } }), code);
      },
      30_000,
    );

    test('an event without a user is ROLLBACK_REFUSED', async () => {
      const args = ['rollback', '--event-id', await unreadable(), '--only', '--yes'];
      expectRefusal(await runCli(args, { env: service.env }), 'ROLLBACK_REFUSED');
    }, 30_000);

    test('profiles of which none is chosen are CONFIG_INVALID', async () => {
      const env = { USER_EVENTS_CONFIG: await configFile({ orders: {}, billing: {} }) };
      expectRefusal(await runCli(['failures'], { env }), 'CONFIG_INVALID');
    }, 30_000);

    test.each([
      ['rollback', '--event-id', WRONG, '--only'],
      ['retry', WRONG],
      ['skip', WRONG, '--reason', 'x'],
    ])(
      '%s in production with --yes alone is PRODUCTION_GUARD',
      async (...args) => {
        const file = await configFile({ live: { production: true } });
        const env = { ...service.env, USER_EVENTS_CONFIG: file, USER_EVENTS_PROFILE: 'live' };
        expectRefusal(await runCli([...args, '--yes'], { env }), 'PRODUCTION_GUARD');
      },
      30_000,
    );

    test('an update left without its create is WOULD_INVALIDATE, and nothing is sent', async () => {
      const { stdout } = await service.run(['rollback', '--event-id', CREATE, '--only', '--yes'], {
        exit: 6,
      });
      expect(stdout).toMatch(/user ada: refused \(WOULD_INVALIDATE\) .{10,}/);
    }, 30_000);

    test('a rollback that nobody executes in time is TIMED_OUT, and stays sent', async () => {
      const args = ['rollback', '--event-id', WRONG, '--only', '--yes', '--wait', '--timeout', '1'];
      expectRefusal(await runCli(args, { env: service.env }), 'TIMED_OUT');
      const again = await service.run(['rollback', '--event-id', WRONG, '--only', '--yes']);
      expect(again.stdout).toContain('under way');
      await service.catchUp();
    }, 60_000);
  });

  const send = async (
    terms: Partial<OutgoingRollbackEvent> & { readonly eventId: string },
  ): Promise<void> => {
    const event: OutgoingRollbackEvent = {
      kind: 'rollback',
      userId: 'ada',
      partition,
      targets: [UPDATE],
      mode: 'only',
      upTo: null,
      force: false,
      reason: null,
      operator: null,
      rules: 'strict',
      ...terms,
    };
    await log.append([writeEnvelope(event, '/test')]);
  };

  describe('of an event is on record, and blocks nobody', () => {
    test.each<[ErrorCode, Partial<OutgoingRollbackEvent>, number]>([
      ['NOT_FOUND', { targets: [UNKNOWN] }, 11],
      ['PLAN_CHANGED', { targets: [CREATE], mode: 'cascade', upTo: CREATE }, 12],
      ['WOULD_INVALIDATE', { targets: [CREATE] }, 13],
    ])(
      '%s',
      async (code, terms, n) => {
        await send({ ...terms, eventId: id(n) });
        await service.run(['publish', 'update', 'ada', '--name', code]);
        await service.catchUp();
        const { stdout } = await service.run(['trace', id(n), '--json']);
        expect(JSON.parse(stdout)).toMatchObject({
          status: 'refused',
          error: { code },
          next: expect.anything(),
        });
        expect((await service.users())['ada']).toMatchObject({ name: code });
      },
      60_000,
    );

    test('EVENT_ID_REUSED, under an id of its own', async () => {
      await send({ eventId: UPDATE, targets: [UPDATE] });
      await service.catchUp();
      const { rows } = await service.database.pool.query(
        `select status from ${service.database.schema}.ledger where error_code = 'EVENT_ID_REUSED'`,
      );
      expect(rows).toEqual([{ status: 'refused' }]);
    }, 60_000);
  });

  describe('of the row is failed, parks its user, and says what to do', () => {
    test('DRIFT, until it is forced', async () => {
      await service.run(['publish', 'create', 'cleo', '--name', 'Cleo']);
      await service.run(['publish', 'update', 'cleo', '--name', 'Cleo B', '--event-id', OTHER]);
      await service.catchUp();
      await service.database.pool.query(`update public.users set name = 'by hand' where user_id = 'cleo'`);
      const plan = await service.run(['rollback', '--event-id', OTHER, '--only', '--dry-run']);
      expect(plan.stdout).toContain('DRIFT');
      const sent = await service.run(['rollback', '--event-id', OTHER, '--only', '--yes', '--json']);
      expect(sent.stderr).toContain('--force');
      const { eventId } = (JSON.parse(sent.stdout) as { sent: { eventId: string }[] }).sent[0] ?? {
        eventId: '',
      };
      await service.run(['publish', 'update', 'cleo', '--email', 'c@x']);
      await service.catchUp(7);
      const failed = await service.run(['failures', '--class', 'rollback', '--json']);
      expect(JSON.parse(failed.stdout)).toMatchObject({ eventId, code: 'DRIFT', parked: 1 });
      // Sent once more it would change nothing: the one that failed here is named, and how it is executed.
      const repeated = await service.run(['rollback', '--event-id', OTHER, '--only', '--yes', '--force'], {
        exit: 7,
      });
      expect(repeated.stdout).toContain('could not be executed here (DRIFT)');
      expect(repeated.stdout).toMatch(new RegExp(`user-events retry ${eventId}.*--force`));
      const again = await service.run(['retry', eventId], { exit: 7 });
      expect(again.stdout).toContain('DRIFT');
      const forced = await service.run(['retry', eventId, '--force', '--json']);
      expect(JSON.parse(forced.stdout)).toMatchObject({
        events: [{ status: 'applied', attempts: 3, released: { applied: 1 } }],
      });
      expect((await service.users())['cleo']).toEqual({ name: 'Cleo', email: 'c@x' });
    }, 90_000);

    test('IMAGE_PRUNED, until it is skipped', async () => {
      const target = id(20);
      await service.run(['publish', 'create', 'dora', '--name', 'Dora']);
      await service.run(['publish', 'update', 'dora', '--name', 'Dora B', '--event-id', target]);
      await service.catchUp();
      await service.run(['prune', '--older-than', new Date().toISOString(), '--yes']);
      const plan = await service.run(['rollback', '--event-id', target, '--only', '--dry-run']);
      expect(plan.stdout).toContain('IMAGE_PRUNED');
      const sent = await service.run(['rollback', '--event-id', target, '--only', '--yes', '--json']);
      const { eventId } = (JSON.parse(sent.stdout) as { sent: { eventId: string }[] }).sent[0] ?? {
        eventId: '',
      };
      await service.run(['publish', 'update', 'dora', '--email', 'd@x']);
      await service.catchUp(7);
      const { stdout } = await service.run(['trace', eventId, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({
        status: 'failed',
        error: { code: 'IMAGE_PRUNED' },
        parked: { count: 1 },
      });
      const skipped = await service.run(['skip', eventId, '--reason', 'mended by hand', '--json']);
      expect(JSON.parse(skipped.stdout)).toMatchObject({
        events: [{ status: 'skipped', released: { applied: 1 } }],
      });
      expect((await service.users())['dora']).toEqual({ name: 'Dora B', email: 'd@x' });
    }, 90_000);
  });
});
