import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { columnMapper } from '../../../src/domain/column-values.ts';
import { planReconcile } from '../../../src/domain/reconcile-plan.ts';
import { eventId } from '../../support/apply-harness.ts';
import {
  ALL_KINDS,
  enter,
  entriesOf,
  happenings,
  logs,
  meddled,
  meddledHappenings,
  readings,
  UNMASKED_KINDS,
  type Entry,
  type Happening,
} from '../../support/arbitrary-histories.ts';
import { isHeldUp, orphans, type MemoryRow } from '../../support/memory-ledger.ts';
import { read } from '../../support/memory-reader.ts';
import { MemoryService } from '../../support/memory-service.ts';
import { MAPPER } from '../../support/pure-service.ts';
import { ReferenceModel, type ModelEvent } from '../../support/reference-model.ts';

/** How many histories: HISTORIES=100000 for more, SEED for those of an earlier run. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 10_000);
const SEED = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 0x7fffffff));
const settings = (share: number) => ({ numRuns: Math.ceil(HISTORIES * share), seed: SEED });

afterAll(() => {
  process.stderr.write(`Histories: ${String(HISTORIES)}, twice; SEED=${String(SEED)}\n`);
});

const text = { castType: 'pg_catalog.text', form: 'scalar', defaultExpression: null } as const;
/** A table with both columns, and one without `age`: that goes to its extra column. */
const FULL = columnMapper({
  ...MAPPER.table,
  columns: [
    { name: 'name', ...text },
    { name: 'age', ...text },
  ],
  extraColumn: null,
});
const NARROW = columnMapper({
  ...MAPPER.table,
  columns: [
    { name: 'name', ...text },
    { name: 'attributes', castType: 'pg_catalog.jsonb', form: 'json', defaultExpression: null },
  ],
});

const isBad = (row: MemoryRow): boolean => row['name'] === 'bad';
const isNobody = (): boolean => false;

/** `expect(…).toEqual` in a hundredth of its time, which counts here; it is left to say what differs. */
function same(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toStrictEqual(wanted);
}

/** Runs a history in one service, in deliveries cut by `cuts`, and in the model: every status and row is the model's. */
function compare(
  history: readonly Happening[],
  cuts: readonly boolean[],
  refuses: (row: MemoryRow) => boolean,
): MemoryService {
  const service = new MemoryService(FULL, refuses);
  const model = new ReferenceModel((row) => refuses({ name: String(row['name']) }));
  const sent: ModelEvent[] = [];
  const log: Entry[] = [];
  let delivered = 0;
  const flush = (): void => {
    service.consume(log.slice(delivered).map(({ event }) => event));
    delivered = log.length;
  };
  for (const [index, happening] of history.entries()) {
    if (happening.kind === 'event' || happening.kind === 'again') {
      const entry = enter(happening, log.length, sent);
      if (entry === null) continue;
      log.push(entry);
      model.take(entry.model);
    } else if (happening.kind === 'meddle') {
      flush();
      service.meddle(happening.user, (row) => meddled(row, happening.how));
      model.meddle(happening.user, (row) => meddled(row, happening.how));
    } else {
      flush();
      const id = model.failed[happening.nth];
      if (id === undefined) continue;
      service.decideAgain(happening.kind, eventId(id), happening.force);
      model[happening.kind](id, happening.force);
    }
    if (cuts[index % cuts.length] === true) flush();
  }
  flush();
  same(
    service.ledger.entries.map(({ event, status }) => [Number(event.offset), status]),
    model.statuses,
  );
  same(
    rowsOf(service, ['name', 'age']),
    Object.fromEntries(Object.entries(model.rows).map(([user, row]) => [user, asTexts(row)])),
  );
  expectWhole(service, log);
  return service;
}

function asTexts({
  name,
  age,
}: Readonly<Record<string, string | number | null>>): Record<string, string | null> {
  const textOf = (value: string | number | null | undefined): string | null =>
    value == null ? null : String(value);
  return { name: textOf(name), age: textOf(age) };
}

function rowsOf(
  service: MemoryService,
  columns: readonly string[],
): Record<string, Record<string, string | null>> {
  return Object.fromEntries(
    [...service.rows].map(([user, row]) => [
      user,
      Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
    ]),
  );
}

/** The laws of one service: nothing waits for a cause that is gone; done again, nothing has an effect. */
function expectWhole(service: MemoryService, log: readonly Entry[]): void {
  same(orphans(service.ledger), []);
  // A rollback that could not be executed waits to be.
  const isWaiting = (user: string): boolean =>
    service.ledger
      .history(user)
      .some(({ operation, status }) => operation === 'rollback' && status === 'failed');
  for (const user of service.ledger.users.filter((each) => !isWaiting(each)))
    same(planReconcile(service.ledger.history(user)), { rewindTo: null, steps: [] });
  const before = snapshot(service);
  // A redelivery, then the whole log once more behind its end: every id is known.
  service.consume(log.map(({ event }) => event));
  same(snapshot(service), before);
  service.consume(log.map(({ event }, at) => ({ ...event, offset: BigInt(log.length + at) })));
  for (const { eventId: id, status } of service.ledger.entries)
    if (status !== 'failed') for (const kind of ['retry', 'skip'] as const) service.decideAgain(kind, id);
  same(snapshot(service), before);
}

function snapshot(service: MemoryService): unknown {
  const ledger = service.ledger.entries.map(({ eventId: id, status, blockedBy, withdraws }) => ({
    id,
    status,
    blockedBy,
    withdraws,
  }));
  return { ledger, rows: Object.fromEntries(service.rows) };
}

test('in memory, an event at a time, with refusals by the table, every status and row is the model’s', () => {
  const history = happenings(['bad'], UNMASKED_KINDS);
  fc.assert(
    fc.property(history, (steps) => {
      compare(steps, [true], isBad);
    }),
    settings(0.5),
  );
}, 600_000);

test('in memory, in batches cut anywhere, every status and row is the model’s', () => {
  const cuts = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(happenings(['x', 'y'], ALL_KINDS), cuts, (steps, at) => {
      compare(steps, at, isNobody);
    }),
    settings(0.5),
  );
}, 600_000);

test('in memory, with rows that somebody changes from outside, every status and row is the model’s', () => {
  let drifts = 0;
  fc.assert(
    fc.property(meddledHappenings(['x', 'y'], ALL_KINDS), (steps) => {
      drifts += compare(steps, [true], isNobody).drifts;
    }),
    settings(0.5),
  );
  // Not vacuous: a good many rollbacks met a row that was not theirs.
  expect(drifts).toBeGreaterThan(HISTORIES / 50);
}, 600_000);

/** What was decided on every rollback, by offset: it withdraws these, or (null) was refused. */
function decisionsOf(service: MemoryService): unknown {
  return service.ledger.entries.flatMap(({ event, withdraws }) =>
    event.kind === 'rollback' ? [[Number(event.offset), withdraws]] : [],
  );
}

test('in memory, two services that read at different times, refuse and drift differently decide alike and end equal', () => {
  const kinds = [...ALL_KINDS, 'rollback'] as const;
  let compared = 0;
  let drifts = 0;
  fc.assert(
    fc.property(logs(['bad', 'x', 'y'], kinds), readings, readings, (steps, ours, theirs) => {
      const log = entriesOf(steps);
      const { service: a, touched } = read(log, ours, FULL, isNobody);
      const { service: b, touched: alsoTouched } = read(log, theirs, NARROW, isBad);
      same(decisionsOf(b), decisionsOf(a));
      for (const user of ['a', 'b']) {
        const isTouched = touched.has(user) || alsoTouched.has(user);
        if (isTouched || isHeldUp(a.ledger, user) || isHeldUp(b.ledger, user)) continue;
        compared++;
        same(rowsOf(b, ['name'])[user], rowsOf(a, ['name'])[user]);
      }
      drifts += a.drifts + b.drifts;
      expectWhole(a, log);
      expectWhole(b, log);
    }),
    settings(1),
  );
  // Not vacuous: in a good part of the histories there was something to compare, and some met a row that was not theirs.
  expect(compared).toBeGreaterThan(HISTORIES / 2);
  expect(drifts).toBeGreaterThan(HISTORIES / 50);
}, 600_000);
