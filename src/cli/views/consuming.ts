import type { Lag } from '../../app/consume/lag-watch.ts';
import type { Tally } from '../../app/consume/tally.ts';
import { spanText } from '../age-text.ts';

/** How far a consumer is, at one moment. */
export interface Consuming {
  readonly tally: Tally;
  /** Null until it was looked at. */
  readonly lag: Lag | null;
  readonly eventsPerSecond: number;
  /** Null where it is not catching up, or cannot be told. */
  readonly secondsLeft: number | null;
  readonly elapsedMs: number;
  /** What is away, if anything. */
  readonly waitsFor: readonly ('database' | 'log')[];
}

const count = (value: number | bigint): string => value.toLocaleString('en-US');

/** `12,340 (8,100/s), lag 230,000, 28 s left, 3 failed, 10 parked`: what matters most first, since the end may be cut. No rate while it idles. */
export function consumingText({ tally, lag, eventsPerSecond, secondsLeft, waitsFor }: Consuming): string {
  const failed = tally.failed + tally.rollbacksFailed;
  const isBehind = secondsLeft !== null && secondsLeft > 0;
  const rate = Math.round(eventsPerSecond);
  const parts = [
    rate > 0 ? `${count(tally.events)} (${count(rate)}/s)` : count(tally.events),
    waitsFor.length > 0 ? `waiting for the ${waitsFor.join(' and the ')}` : null,
    lag?.events == null ? null : `lag ${count(lag.events)}`,
    isBehind ? `${spanText(secondsLeft * 1000)} left` : null,
    failed > 0 ? `${count(failed)} failed` : null,
    tally.parked > 0 ? `${count(tally.parked)} parked` : null,
  ];
  return parts.filter((part) => part !== null).join(', ');
}
