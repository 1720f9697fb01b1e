import type { ConsumeOptions } from '../app/consume/consume-options.ts';
import type { StartFrom } from '../app/consume/take-over.ts';
import { mapTypesOf } from '../app/envelope-context.ts';
import type { Config } from '../config/config.ts';
import { readTime } from '../domain/offset-time.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { CONSUMER_SESSION } from '../postgres/sql/consumer-session.ts';
import type { DatabaseOptions } from './context.ts';
import { faultPoints } from './fault-points.ts';

/** Measured best on two cores: 500 events a batch 35 k/s, 1,000 38 k/s, 2,000 43 k/s, more no gain (BATCH.md). */
const DEFAULT_BATCH_SIZE = 2_000;

/** Two connections keep PostgreSQL busy (one 27 k events/s, two 35-43 k, more no gain), the third one looks on. */
export const CONSUMER_DATABASE: DatabaseOptions = { maxConnections: 3, settings: CONSUMER_SESSION };

interface ConsumeFlags {
  readonly 'until-end': boolean;
  readonly 'max-events'?: number | undefined;
  readonly from?: string | undefined;
  readonly 'accept-gap': boolean;
}

/** Reads what `consume` was told: flags that are no settings, and settings of every level. Throws USAGE. */
export function readConsumeOptions(
  config: Config,
  flags: ConsumeFlags,
  nowMs: number,
): Omit<ConsumeOptions, 'signal' | 'observe' | 'deadLetters'> {
  return {
    group: config.group,
    acceptGap: flags['accept-gap'],
    ignoreTypes: new Set(config.ignoreTypes),
    mapTypes: mapTypesOf(config.mapTypes),
    from: readFrom(flags.from, nowMs),
    isUntilEnd: flags['until-end'],
    maxEvents: flags['max-events'] ?? null,
    maxFailed: config.maxFailed,
    onFailure: config.onFailure,
    batchSize: config.batchSize ?? DEFAULT_BATCH_SIZE,
    operator: config.operator,
    source: config.source,
    at: faultPoints(process.env),
  };
}

function readFrom(text: string | undefined, nowMs: number): StartFrom {
  if (text === undefined || text === 'start' || text === 'committed') return text ?? 'start';
  const time = text.startsWith('@') ? readTime(text.slice(1), nowMs) : null;
  if (time !== null && time.length === text.length - 1) return { timestamp: time.timestamp };
  throw new UserEventsError('USAGE', `--from takes start, committed or @TIME, not ${text}`);
}
