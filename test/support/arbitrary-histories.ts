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

/** One thing that happens: an entry of the log, or a local decision on the n-th failed event. */
export type Happening = LogStep | { readonly kind: 'retry' | 'skip'; readonly nth: number };

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
  const local = fc.record({ kind: fc.constantFrom('retry' as const, 'skip' as const), nth: fc.nat(3) });
  const any = fc.oneof(...logSteps(names, kinds), { weight: 2, arbitrary: local });
  return fc.array(any, { minLength: 1, maxLength: 24 });
}

/** A log alone. */
export function logs(
  names: readonly string[],
  kinds: readonly ModelEvent['kind'][],
): fc.Arbitrary<LogStep[]> {
  return fc.array(fc.oneof(...logSteps(names, kinds)), { minLength: 1, maxLength: 30 });
}

/** How one service reads a log: deliveries of so many records, beginning so far back, and what is decided after each. */
export interface Reading {
  readonly size: number;
  readonly redelivered: number;
  readonly then: { readonly kind: 'retry' | 'skip' | 'mend' | 'nothing'; readonly nth: number };
}

/** Read over and over, in turn, until the log's end. */
export const readings: fc.Arbitrary<Reading[]> = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 9 }),
    redelivered: fc.nat(3),
    then: fc.record({
      kind: fc.constantFrom('retry', 'skip', 'mend', 'nothing', 'nothing', 'nothing'),
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
  const targets = step.back.map((n) => mine.at(-n)?.id ?? 9_999);
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
