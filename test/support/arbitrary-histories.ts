import fc from 'fast-check';
import type { LogEvent } from '../../src/domain/event.ts';
import { cud, eventId, rollback } from './apply-harness.ts';
import type { ModelEvent } from './reference-model.ts';

/** One entry of a log: an event, whose targets are the n-th newest of its user; or an earlier one once more. */
export type LogStep =
  | {
      readonly kind: 'event';
      readonly event: Omit<ModelEvent, 'id' | 'targets' | 'upTo'>;
      readonly back: readonly number[];
      readonly upTo: number | null;
    }
  | { readonly kind: 'again'; readonly back: number };

/** Somebody else changes a user's row in a database: a column, or the whole of it. */
export interface Meddling {
  readonly kind: 'meddle';
  readonly user: string;
  readonly how: 'change' | 'remove' | 'make';
}

/** One thing that happens: an entry of the log, a local decision on the n-th failed event, or a change from outside. */
export type Happening =
  LogStep | { readonly kind: 'retry' | 'skip'; readonly nth: number; readonly force: boolean } | Meddling;

/** The row after a change from outside; as it is where there is nothing to change. */
export function meddled<Row extends object>(
  row: Row | null,
  how: Meddling['how'],
): Row | (Row & { name: string }) | { name: string } | null {
  switch (how) {
    case 'change':
      return row === null ? null : { ...row, name: 'foreign' };
    case 'remove':
      return null;
    case 'make':
      return row ?? { name: 'foreign' };
  }
}

/** What the database refuses can be overwritten within a batch (DESIGN 4), also when a rollback executes again: */
export const ALL_KINDS: readonly ModelEvent['kind'][] = [
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
export const UNMASKED_KINDS: readonly ModelEvent['kind'][] = [
  'create',
  'update',
  'update',
  'put',
  'rollback',
  'rollback',
];

/** Steps of a log, of users `a` and `b`: every mode of rollback, with and without `upTo`, redos by their targets. */
function logSteps(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.MaybeWeightedArbitrary<LogStep>[] {
  const fields = fc.record(
    { name: fc.constantFrom(...names), age: fc.integer({ min: 0, max: 9 }) },
    { requiredKeys: [] },
  );
  const event = fc.record({
    user: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom(...kinds),
    fields,
    mode: fc.constantFrom('only' as const, 'cascade' as const),
    force: fc.boolean(),
  });
  const back = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 2 });
  const upTo = fc.option(fc.integer({ min: 1, max: 4 }), { freq: 3 });
  return [
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('event' as const), event, back, upTo }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.integer({ min: 1, max: 5 }) }),
    },
  ];
}

/** A log that is read as it grows, with local decisions in between. */
export function happenings(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.Arbitrary<Happening[]> {
  const any = fc.oneof(...logSteps(names, kinds), { weight: 2, arbitrary: local });
  return fc.array(any, { minLength: 1, maxLength: 24 });
}

const local = fc.record({
  kind: fc.constantFrom('retry' as const, 'skip' as const),
  nth: fc.nat(3),
  force: fc.boolean(),
});

const meddling: fc.Arbitrary<Meddling> = fc.record({
  kind: fc.constant('meddle' as const),
  user: fc.constantFrom('a', 'b'),
  how: fc.constantFrom('change', 'change', 'remove', 'make'),
});

/**
 * The same with changes from outside. What makes a row carries both columns here: a column that nobody has set is no drift
 * until something is (ADR 0005), which the model does not tell apart.
 */
export function meddledHappenings(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.Arbitrary<Happening[]> {
  const single = fc
    .oneof(...logSteps(names, kinds), { weight: 2, arbitrary: local }, { weight: 2, arbitrary: meddling })
    .map((happening) => [happening]);
  // Right before a rollback of the same user, or the next image would have seen it.
  const drift = fc
    .tuple(meddling, fc.oneof(...logSteps(names, ['rollback'])))
    .map(([change, step]): Happening[] =>
      step.kind === 'event'
        ? [change, { ...step, event: { ...step.event, user: change.user } }]
        : [change, step],
    );
  const any = fc.oneof({ weight: 3, arbitrary: single }, { weight: 1, arbitrary: drift });
  const begin = fc.oneof(...logSteps(names, ['create']));
  const rest = fc.array(any, { minLength: 1, maxLength: 24 });
  return fc.tuple(begin, rest).map(([first, parts]) => [first, ...parts.flat()].map(withWholeRows));
}

function withWholeRows(happening: Happening): Happening {
  if (happening.kind !== 'event') return happening;
  const { event } = happening;
  if (event.kind !== 'create' && event.kind !== 'put') return happening;
  return { ...happening, event: { ...event, fields: { name: 'x', age: 1, ...event.fields } } };
}

/** A log alone; every other one begins with both users, so that rollbacks have something to set back. */
export function logs(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.Arbitrary<LogStep[]> {
  const rest = fc.array(fc.oneof(...logSteps(names, kinds)), { minLength: 1, maxLength: 30 });
  return fc.oneof(
    rest,
    rest.map((steps) => [beginOf('a'), beginOf('b'), ...steps]),
  );
}

function beginOf(user: string): LogStep {
  const event = { user, kind: 'create', fields: { name: 'x', age: 1 }, mode: 'only', force: false } as const;
  return { kind: 'event', event, back: [], upTo: null };
}

/**
 * How one service reads a log: deliveries of so many records, beginning so far back, and what is done after each; to
 * `meddle` it reads up to the next rollback, and changes the row that this is about.
 */
export interface Reading {
  readonly size: number;
  readonly redelivered: number;
  readonly then: { readonly kind: 'retry' | 'skip' | 'mend' | 'meddle' | 'nothing'; readonly nth: number };
}

/** What a reading's n-th `meddle` does. */
export function meddlingOf(nth: number): Exclude<Meddling['how'], 'make'> {
  return nth < 3 ? 'change' : 'remove';
}

/** Where the next rollback lies; the end where there is none. Right before it a change from outside is drift. */
export function nextRollback(log: readonly Entry[], from: number): number {
  const next = log.findIndex(({ event }, at) => at >= from && event.kind === 'rollback');
  return next < 0 ? log.length : next;
}

/** Read over and over, in turn, until the log's end. */
export const readings: fc.Arbitrary<Reading[]> = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 9 }),
    redelivered: fc.nat(3),
    then: fc.record({
      kind: fc.constantFrom('retry', 'skip', 'mend', 'meddle', 'nothing', 'nothing', 'nothing', 'nothing'),
      nth: fc.nat(3),
    }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** An entry of the log, for the code under test and for the model. */
export interface Entry {
  readonly event: LogEvent;
  readonly model: ModelEvent;
}

/** Gives steps their offsets, ids (those of their offsets) and targets; `sent` is what came before, and grows. */
export function enter(step: LogStep, offset: number, sent: ModelEvent[]): Entry | null {
  if (step.kind === 'again') {
    const model = sent.at(-step.back);
    if (model === undefined) return null;
    return { event: { ...toLogEvent(model, model.id), offset: BigInt(offset) }, model };
  }
  const mine = sent.filter(({ user }) => user === step.event.user);
  // One in eight is never found; the others name something wherever there is something.
  const targets = step.back.map(
    (n) => (n === 8 ? undefined : mine.at(-1 - ((n - 1) % mine.length))?.id) ?? 9_999,
  );
  const upTo = step.upTo === null ? null : (mine.at(-step.upTo)?.id ?? 9_998);
  const model = { ...step.event, id: offset, targets, upTo };
  sent.push(model);
  return { event: toLogEvent(model, offset), model };
}

/** A log's entries, in order. */
export function entriesOf(steps: readonly LogStep[]): readonly Entry[] {
  const sent: ModelEvent[] = [];
  const entries: Entry[] = [];
  for (const step of steps) {
    const entry = enter(step, entries.length, sent);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function toLogEvent(event: ModelEvent, offset: number): LogEvent {
  const { kind, user, fields, targets, mode, upTo, force } = event;
  if (kind === 'rollback') return rollback(offset, user, targets, { mode, upTo: idOf(upTo), force });
  return cud(offset, kind, user, kind === 'delete' ? {} : { ...fields });
}

function idOf(upTo: number | null): string | null {
  return upTo === null ? null : eventId(upTo);
}
