import { beforeEach, expect, jest, test } from '@jest/globals';
import { dryRun, rollBack } from '../../src/app/rollback/roll-back.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import { toUserEventsError } from '../../src/postgres/errors.ts';
import {
  breakingOff,
  countingPartitions,
  failedIds,
  failMany,
  outcomes,
  recordsIn,
  request,
  withChanges,
} from '../support/bulk-harness.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { describeEachLog } from '../support/each-log.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const USERS = 2500;

describeEachLog('a bulk of rollbacks', ({ database, open }) => {
  beforeEach(() => failMany(database(), USERS));

  test('that is interrupted says how many were sent, and a second run sends the rest alone', async () => {
    const log = await open(2);
    const stop = new AbortController();
    const interrupted = rollBack(
      database(),
      request(log, {
        signal: stop.signal,
        onProgress: (step) => {
          if (step === 'send') stop.abort();
        },
      }),
    );
    await expect(interrupted).rejects.toMatchObject({
      code: 'INTERRUPTED',
      facts: { sent: 2000, total: USERS },
    });
    const again = await rollBack(database(), request(log));
    expect(outcomes(again)).toEqual({ pending: 2000, sent: 500 });
    expect(outcomes(await rollBack(database(), request(log)))).toEqual({ pending: USERS });
  });

  test('names the rollback that was sent before and could not be executed here', async () => {
    const { pool, schema } = database();
    await pool.query(
      `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at,
         withdraws, error_code, error_message)
       select gen_random_uuid(), 0, 0, 10000, 'u7', 'rollback', 'failed', now(), array[event_id], 'DRIFT', 'the row differs'
       from ${schema}.ledger where user_id = 'u7'`,
    );
    const { rows } = await pool.query<{ id: string }>(
      `select event_id as id from ${schema}.ledger where user_id = 'u7' and operation = 'create'`,
    );
    const log = await open(2);
    const chosen = rows.map(({ id }) => id);
    const planned = await dryRun(database(), request(log, { chosen }));
    expect(planned).toMatchObject({ exit: 7, plans: [{ failedHere: { error: { code: 'DRIFT' } } }] });
    const rolledBack = await rollBack(database(), request(log));
    expect(outcomes(rolledBack)).toEqual({ failed: 1, sent: USERS - 1 });
    expect(rolledBack.sent.find(({ userId }) => userId === 'u7')).toMatchObject({
      outcome: 'failed',
      code: 'DRIFT',
      message: 'the row differs',
    });
  });

  test('that the log breaks off says how many are known to be in it', async () => {
    const log = await open(2);
    const broken = breakingOff(log, 1, 300);
    await expect(rollBack(database(), request(broken))).rejects.toMatchObject({
      code: 'LOG_UNREACHABLE',
      facts: { sent: 2300, total: USERS },
      hint: expect.stringContaining('Run it again'),
    });
    expect(outcomes(await rollBack(database(), request(log)))).toEqual({ pending: 2300, sent: 200 });
  });
});

describeEachLog('a bulk that nobody looks at before', ({ database, open }) => {
  beforeEach(() => failMany(database(), USERS));

  test.each(['by what they are like', 'by name'])(
    'chosen %s is sent while it is being planned, confirmed once, and goes on where it was interrupted',
    async (how) => {
      const log = await open(2);
      const chosen = how === 'by name' ? await failedIds(database()) : { wanted: {}, nowMs: 0 };
      const bulk = { chosen, isUnseen: true };
      const stop = new AbortController();
      const confirmed: number[] = [];
      const done: number[] = [];
      const appended: number[] = [];
      const interrupted = rollBack(
        database(),
        request(countingPartitions(log, appended), {
          ...bulk,
          signal: stop.signal,
          confirm: ({ plans }) => Promise.resolve(void confirmed.push(plans.length)),
          onProgress: (step, count, total) => {
            if (step !== 'send') return;
            expect(total).toBe(USERS);
            done.push(count);
            stop.abort();
          },
        }),
      );
      const error = await interrupted.then(
        () => null,
        (thrown: unknown) => (thrown instanceof UserEventsError ? thrown : null),
      );
      const sent = await recordsIn(log);
      expect(error).toMatchObject({ code: 'INTERRUPTED', facts: { sent, total: USERS } });
      expect(sent).toBeLessThan(USERS / 2);
      expect(confirmed).toEqual([sent]);
      expect(done).toEqual([sent]);
      expect(appended).toEqual([1]);
      const again = await rollBack(database(), request(log, bulk));
      expect(outcomes(again)).toEqual({ pending: sent, sent: USERS - sent });
      expect(again.plans.map(({ userId }) => userId)).toEqual(again.sent.map(({ userId }) => userId));
      expect(new Set(again.sent.map(({ userId }) => userId)).size).toBe(USERS);
    },
  );

  test('leaves what is read and fails meanwhile, and counts along what fails again', async () => {
    const log = await open(2);
    const { pool, schema } = database();
    await pool.query(
      `insert into ${schema}.position (partition, next_offset, start_offset) values (0, 20000, 0), (1, 20000, 0)`,
    );
    const counts: [number, number][] = [];
    const rolledBack = await rollBack(
      database(),
      request(log, {
        isUnseen: true,
        confirm: async () => {
          await pool.query(
            `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, error_code)
             select gen_random_uuid(), 0, 0, at, 'z' || at, 'create', 'failed', now(), 'DATABASE_CONSTRAINT'
             from (select generate_series(19991, 20010)) as fails(at)`,
          );
        },
        onProgress: (step, done, total) => {
          if (step === 'send') counts.push([done, total]);
        },
      }),
    );
    // Below the position nine are new: 19991 to 19999.
    expect(outcomes(rolledBack)).toEqual({ sent: USERS + 9 });
    expect(counts.filter(([done, total]) => done > total)).toEqual([]);
    expect(counts.at(-1)).toEqual([USERS + 9, USERS + 9]);
  });

  test('sends nothing twice where what an earlier run sent is executed while it begins', async () => {
    const log = await open(2);
    const { pool, schema, connectionString } = database();
    const first = await rollBack(database(), request(log, { chosen: await failedIds(database()) }));
    const begun = first.sent.slice(0, USERS / 2).map(({ userId }) => userId);
    const own = createPool({ connectionString, applicationName: 'again' });
    /** Ends when the second run has read histories: those are from before what is executed now. */
    const executed = async (): Promise<void> => {
      const hasRead = async (): Promise<boolean> => {
        const { rowCount } = await pool.query(
          `select from pg_stat_activity where application_name = 'again' and query = 'commit' and state = 'idle'`,
        );
        return (rowCount ?? 0) > 0;
      };
      await waitFor(hasRead, { timeoutMs: 10_000, describe: () => 'a transaction of the second run' });
      await pool.query(`update ${schema}.ledger set status = 'rolled_back' where user_id = any ($1)`, [
        begun,
      ]);
    };
    const slow = withChanges(log, { watermarks: () => executed().then(() => log.watermarks()) });
    try {
      const again = await rollBack({ ...database(), pool: own }, request(slow, { isUnseen: true }));
      expect(outcomes(again)).toEqual({ pending: USERS / 2 });
    } finally {
      await own.end();
    }
  });

  test('sends nothing where it is not confirmed', async () => {
    const log = await open(2);
    const declined = new UserEventsError('DECLINED', 'no');
    await expect(
      rollBack(database(), request(log, { isUnseen: true, confirm: () => Promise.reject(declined) })),
    ).rejects.toBe(declined);
    expect(await recordsIn(log)).toBe(0);
  });

  test('says how many are in the log when the database fails while the rest is being planned', async () => {
    // Some more portions than are read ahead.
    const users = 6000;
    await failMany(database(), users);
    const log = await open(2);
    const { pool, schema } = database();
    const renamed: Promise<unknown>[] = [];
    const broken = rollBack(
      database(),
      request(log, {
        isUnseen: true,
        explain: (error) => Promise.resolve(toUserEventsError(error, 'here')),
        onProgress: () => {
          if (renamed.length === 0) renamed.push(pool.query(`alter table ${schema}.ledger rename to gone`));
        },
      }),
    );
    const error = await broken.then(
      () => null,
      (thrown: unknown) => (thrown instanceof UserEventsError ? thrown : null),
    );
    await Promise.all(renamed);
    await pool.query(`alter table ${schema}.gone rename to ledger`);
    expect(error?.code).toBe('NOT_INITIALISED');
    expect(error?.hint).toContain('Run it again');
    expect(error?.facts).toEqual({ sent: await recordsIn(log), total: users });
    expect(error?.facts['sent']).toBeGreaterThan(0);
  });
});
