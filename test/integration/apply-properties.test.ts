import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAgain } from '../../src/app/decide-again.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import {
  cud,
  eventId,
  openApplier,
  prepareUsers,
  readLedger,
  readUsers,
  rollback,
} from '../support/apply-harness.ts';
import { ReferenceModel, type ModelEvent } from '../support/reference-model.ts';
import { differencesOf } from '../support/verify-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const RUNS = Number(process.env['HISTORIES'] ?? 150);
const database = useTestDatabase();

beforeAll(() => prepareUsers(database()));
beforeEach(wipe);

async function wipe(): Promise<void> {
  const { pool, schema } = database();
  await pool.query(
    `delete from public.users; delete from ${schema}.ledger; delete from ${schema}.position; delete from ${schema}.attempt`,
  );
}

/** One thing that happens: an event of the log, a redelivery, or a local decision on the n-th failed event. */
type Happening =
  | {
      readonly kind: 'event';
      readonly event: Omit<ModelEvent, 'id' | 'targets'>;
      readonly back: readonly number[];
    }
  | { readonly kind: 'again'; readonly back: number }
  | { readonly kind: 'retry' | 'skip'; readonly nth: number };

function happenings(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.Arbitrary<Happening[]> {
  const fields = fc.record(
    { name: fc.constantFrom(...names), age: fc.integer({ min: 0, max: 9 }) },
    { requiredKeys: [] },
  );
  const event = fc.record({
    user: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom(...kinds),
    fields,
    mode: fc.constantFrom('only', 'cascade'),
  });
  const back = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 2 });
  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ kind: fc.constant('event' as const), event, back }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.integer({ min: 1, max: 5 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('retry', 'skip'), nth: fc.nat(3) }) },
    ),
    { minLength: 1, maxLength: 24 },
  );
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
    if (happening.kind === 'event') {
      const mine = sent.filter(({ user }) => user === happening.event.user);
      const targets = happening.back.map((n) => mine.at(-n)?.id ?? 9_999);
      const event = { ...happening.event, id: offset, targets };
      sent.push(event);
      pending.push(toLogEvent(event, offset));
      model.take(event);
      offset++;
    } else if (happening.kind === 'again') {
      const event = sent.at(-happening.back);
      if (event === undefined) continue;
      pending.push({ ...toLogEvent(event, event.id), offset: BigInt(offset) });
      model.take(event);
      offset++;
    } else {
      await flush();
      const id = model.failed[happening.nth];
      if (id === undefined) continue;
      const request = {
        operator: 'tester',
        reason: 'test',
        force: false,
        maxAttempts: null,
        signal: new AbortController().signal,
        onProgress: () => undefined,
      };
      await decideAgain(database(), ledger, { ...request, kind: happening.kind, eventIds: [eventId(id)] });
      model[happening.kind](id);
    }
    if (cuts[index % cuts.length] === true) await flush();
  }
  await flush();
  const lines = await readLedger(database());
  expect(lines.map(({ offset: id, status }) => [id, status])).toEqual(model.statuses);
  expect(await differencesOf(database())).toEqual([]);
  const users = Object.entries(await readUsers(database()));
  expect(
    Object.fromEntries(users.map(([user, { name = null, age = null }]) => [user, { name, age }])),
  ).toEqual(
    Object.fromEntries(
      Object.entries(model.rows).map(([user, { name = null, age = null }]) => [user, { name, age }]),
    ),
  );
}

function toLogEvent(event: ModelEvent, offset: number): LogEvent {
  if (event.kind === 'rollback') return rollback(offset, event.user, event.targets, { mode: event.mode });
  return cud(offset, event.kind, event.user, event.kind === 'delete' ? {} : { ...event.fields });
}

/** What the database refuses can be overwritten within a batch (DESIGN 4), also when a rollback executes again: */
const ALL: readonly ModelEvent['kind'][] = [
  'create',
  'create',
  'update',
  'update',
  'delete',
  'put',
  'rollback',
  'rollback',
];
/** here nothing overwrites a name, so a refusal cannot be hidden. */
const UNMASKED: readonly ModelEvent['kind'][] = ['create', 'update', 'update', 'put', 'rollback', 'rollback'];

test('an event at a time, with refusals by the database, every status and row is the model’s', async () => {
  await fc.assert(
    fc.asyncProperty(happenings(['bad'], UNMASKED), (history) => compare(history, [true], true)),
    { numRuns: RUNS },
  );
}, 300_000);

test('in batches cut anywhere, every status and row is the model’s', async () => {
  await fc.assert(
    fc.asyncProperty(
      happenings(['x', 'y'], ALL),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      (history, cuts) => compare(history, cuts, false),
    ),
    { numRuns: RUNS },
  );
}, 300_000);
