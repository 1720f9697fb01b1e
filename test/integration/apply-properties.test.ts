import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAgain } from '../../src/app/decide-again.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import { eventId, openApplier, prepareUsers, readLedger, readUsers } from '../support/apply-harness.ts';
import {
  ALL_KINDS,
  enter,
  happenings,
  meddled,
  meddledHappenings,
  type Meddling,
  UNMASKED_KINDS,
  type Happening,
} from '../support/arbitrary-histories.ts';
import { ReferenceModel, type ModelEvent } from '../support/reference-model.ts';
import { differencesOf } from '../support/verify-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

/** On the database: HISTORIES=2000 for more, SEED for those of an earlier run. */
const RUNS = Number(process.env['HISTORIES'] ?? 150);
const SEED = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 0x7fffffff));
const database = useTestDatabase();

beforeAll(() => prepareUsers(database()));
beforeEach(wipe);
afterAll(() => {
  process.stderr.write(`One service: ${String(RUNS)} histories, three times; SEED=${String(SEED)}\n`);
});

async function wipe(): Promise<void> {
  const { pool, schema } = database();
  await pool.query(
    `delete from public.users; delete from ${schema}.ledger; delete from ${schema}.position; delete from ${schema}.attempt`,
  );
}

async function meddle({ user, how }: Meddling): Promise<void> {
  const { pool } = database();
  const rows = await readUsers(database());
  const row = rows[user] ?? null;
  if (how === 'change')
    await pool.query(`update public.users set name = 'foreign' where user_id = $1`, [user]);
  if (how === 'remove') await pool.query(`delete from public.users where user_id = $1`, [user]);
  if (how === 'make' && row === null)
    await pool.query(`insert into public.users (user_id, name) values ($1, 'foreign')`, [user]);
}

/** Runs one history through the real applier, in batches cut by `cuts`, and through the model; both must agree. */
async function compare(
  history: readonly Happening[],
  cuts: readonly boolean[],
  refuses: boolean,
): Promise<void> {
  await wipe();
  const model = new ReferenceModel((row) => refuses && row['name'] === 'bad');
  const applier = await openApplier(database());
  const ledger = await openLedger(database());
  const sent: ModelEvent[] = [];
  let pending: LogEvent[] = [];
  let offset = 0;
  const flush = async (): Promise<void> => {
    await applier.apply(pending, BigInt(offset));
    pending = [];
  };
  for (const [index, happening] of history.entries()) {
    if (happening.kind === 'event' || happening.kind === 'again') {
      const entry = enter(happening, offset, sent);
      if (entry === null) continue;
      pending.push(entry.event);
      model.take(entry.model);
      offset++;
    } else if (happening.kind === 'meddle') {
      await flush();
      await meddle(happening);
      model.meddle(happening.user, (row) => meddled(row, happening.how));
    } else {
      await flush();
      const id = model.failed[happening.nth];
      if (id === undefined) continue;
      const { force } = happening;
      const request = {
        operator: 'tester',
        reason: 'test',
        force,
        maxAttempts: null,
        signal: new AbortController().signal,
        onProgress: () => undefined,
      };
      await decideAgain(database(), ledger, { ...request, kind: happening.kind, eventIds: [eventId(id)] });
      model[happening.kind](id, force);
    }
    if (cuts[index % cuts.length] === true) await flush();
  }
  await flush();
  const lines = await readLedger(database());
  expect(lines.map(({ offset: id, status }) => [id, status])).toEqual(model.statuses);
  if (!history.some(({ kind }) => kind === 'meddle')) expect(await differencesOf(database())).toEqual([]);
  const users = Object.entries(await readUsers(database()));
  expect(
    Object.fromEntries(users.map(([user, { name = null, age = null }]) => [user, { name, age }])),
  ).toEqual(
    Object.fromEntries(
      Object.entries(model.rows).map(([user, { name = null, age = null }]) => [user, { name, age }]),
    ),
  );
}

test('an event at a time, with refusals by the database, every status and row is the model’s', async () => {
  await fc.assert(
    fc.asyncProperty(happenings(['bad'], UNMASKED_KINDS), (history) => compare(history, [true], true)),
    { numRuns: RUNS, seed: SEED },
  );
}, 300_000);

test('in batches cut anywhere, every status and row is the model’s', async () => {
  await fc.assert(
    fc.asyncProperty(
      happenings(['x', 'y'], ALL_KINDS),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      (history, cuts) => compare(history, cuts, false),
    ),
    { numRuns: RUNS, seed: SEED },
  );
}, 300_000);

test('with rows that somebody changes from outside, every status and row is the model’s', async () => {
  await fc.assert(
    fc.asyncProperty(meddledHappenings(['x', 'y'], ALL_KINDS), (history) => compare(history, [true], false)),
    { numRuns: RUNS, seed: SEED },
  );
}, 300_000);
