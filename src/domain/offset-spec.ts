import { UserEventsError } from '../errors/user-events-error.ts';
import { readTime } from './offset-time.ts';

/** A place in every partition: so far above the low or below the high watermark, an offset, or a time (ms, UTC). */
export type OffsetPoint =
  | { readonly at: 'low'; readonly plus: bigint }
  | { readonly at: 'high'; readonly minus: bigint }
  | { readonly at: 'offset'; readonly offset: bigint }
  | { readonly at: 'time'; readonly timestamp: number };

/** From a place on; up to another one, exclusive, or without end. */
export interface OffsetSpec {
  readonly from: OffsetPoint;
  readonly to: OffsetPoint | null;
}

const EXAMPLES =
  'Say start, end, an offset (47), +2 or -3 from either end, a range (100:200, :200, -10:end), ' +
  'or a time (@-1h, @2026-01-31, @2026-01-31T08:00:00Z:1h).';
const MAX_OFFSET = 2n ** 63n - 1n;
const START: OffsetPoint = { at: 'low', plus: 0n };
const END: OffsetPoint = { at: 'high', minus: 0n };

/**
 * Reads an offset as `rpk topic consume --offset` does (its help text is the source), with `-N`, `+N` and the words
 * allowed in ranges too, and what `kcl consume --offset` has beside it:
 *
 *     start  end  N  +N  -N     from there on (`N:` is the same); +N counts from the low, -N from the high watermark
 *     start+N  end-N            the same as +N, -N; `oldest` and `newest` are start and end
 *     A:B  :B                   from A (else the start) up to B, B itself excluded, each any of the above
 *     @T  @T:                   from the first record at or after T
 *     @T1:T2  @:T2  @T1:end     up to the first record at or after T2 (`@T2` is the same), or the high watermark of now
 *
 * T is ISO 8601 (UTC where no zone is given; a date is its first moment), 9 or 10 digits of seconds, 13 of milliseconds
 * or 19 of nanoseconds since the epoch, or a duration (`-1h`, `-1h30m`; ms, s, m, h, d, w): from `nowMs`, and as T2 from
 * T1 where T1 is no duration and T2 has no minus. Times before 1970 are 1970. Throws USAGE.
 */
export function parseOffsetSpec(text: string, nowMs: number): OffsetSpec {
  const spec = text.startsWith('@') ? parseTimes(text, nowMs) : parseOffsets(text);
  if (spec.to !== null && isEmpty(spec.from, spec.to)) throw usage(text, 'it ends before it begins');
  return spec;
}

function parseOffsets(text: string): OffsetSpec {
  const colon = text.indexOf(':');
  if (colon === -1) return { from: parsePoint(text, text), to: null };
  const [left, right] = [text.slice(0, colon), text.slice(colon + 1)];
  if (left === '' && right === '') throw usage(text, 'a range needs at least one end');
  return {
    from: left === '' ? START : parsePoint(left, text),
    to: right === '' ? null : parsePoint(right, text),
  };
}

function parsePoint(part: string, text: string): OffsetPoint {
  if (part === 'start' || part === 'oldest') return START;
  if (part === 'end' || part === 'newest') return END;
  const [, edge, digits] = /^((?:start)?\+|(?:end)?-|)(\d+)$/.exec(part) ?? [];
  if (edge === undefined || digits === undefined) throw usage(text, `"${part}" is not an offset`);
  const offset = BigInt(digits);
  if (offset > MAX_OFFSET) throw usage(text, `"${part}" is larger than an offset can be`);
  if (edge.endsWith('+')) return { at: 'low', plus: offset };
  if (edge.endsWith('-')) return { at: 'high', minus: offset };
  return { at: 'offset', offset };
}

function parseTimes(text: string, nowMs: number): OffsetSpec {
  let rest = text.slice(1);
  let from = START;
  let base = nowMs;
  if (!rest.startsWith(':')) {
    const first = readTime(rest, nowMs);
    if (first === null) throw usage(text, `"${rest}" does not begin with a time`);
    if (first.isDuration && first.timestamp > nowMs) {
      throw usage(text, 'it begins in the future (the past has a minus: @-1h)');
    }
    from = { at: 'time', timestamp: first.timestamp };
    if (!first.isDuration) base = first.timestamp;
    rest = rest.slice(first.length);
    if (rest === '' || rest === ':') return { from, to: null };
  }
  rest = rest.slice(1);
  if (rest === 'end') return { from, to: END };
  // People who do not know the grammar by heart write the sign twice: it can mean nothing else.
  if (rest.startsWith('@')) rest = rest.slice(1);
  // What lies before T1 would be empty: as in kcl, the past is that of now.
  const last = readTime(rest, rest.startsWith('-') ? nowMs : base);
  if (last?.length !== rest.length) throw usage(text, `"${rest}" is not a time`);
  return { from, to: { at: 'time', timestamp: last.timestamp } };
}

/** True where the range is empty whatever the watermarks are. */
function isEmpty(from: OffsetPoint, to: OffsetPoint): boolean {
  if (from.at === 'high' && from.minus === 0n) return true;
  if (to.at === 'low' && to.plus === 0n) return true;
  if (from.at === 'low' && to.at === 'low') return to.plus <= from.plus;
  if (from.at === 'high' && to.at === 'high') return to.minus >= from.minus;
  if (from.at === 'offset' && to.at === 'offset') return to.offset <= from.offset;
  if (from.at === 'time' && to.at === 'time') return to.timestamp <= from.timestamp;
  return false;
}

function usage(text: string, fault: string): UserEventsError {
  return new UserEventsError('USAGE', `The offset "${text}" is not understood: ${fault}.`, {
    hint: EXAMPLES,
  });
}
