import { UserEventsError } from '../../errors/user-events-error.ts';
import type { KafkaAdmin } from './admin.ts';
import type { Destination } from './errors.ts';

/**
 * OFFSET_OUT_OF_RANGE with facts `topic`, `partition`, `expected` (the offset asked for), `low`, `high` and `got`,
 * the readable offset nearest to it. The watermarks are asked for now; without an answer those facts are missing.
 */
export async function outOfRange(
  admin: KafkaAdmin,
  { topic }: Destination,
  expectedOf: (partition: number) => bigint | undefined,
  cause: unknown,
): Promise<UserEventsError> {
  const partition = partitionOf(cause);
  const expected = partition === undefined ? undefined : expectedOf(partition);
  const known = await admin.watermarks().catch(() => []);
  const marks = known.find((watermarks) => watermarks.partition === partition);
  const range = marks === undefined ? '' : `: it has ${marks.low} to ${marks.high}`;
  const message = `Offset ${expected ?? 'asked for'} is outside ${topic}[${partition ?? '?'}]${range}`;
  if (marks === undefined || expected === undefined) {
    return new UserEventsError('OFFSET_OUT_OF_RANGE', message, {
      cause,
      facts: { topic, partition, expected },
    });
  }
  const { low, high } = marks;
  const got = expected < low ? low : high;
  return new UserEventsError('OFFSET_OUT_OF_RANGE', message, {
    cause,
    facts: { topic, partition, expected, got, low, high },
  });
}

/** kafkajs's error names the partition, also where its retries have wrapped it. */
function partitionOf(error: unknown): number | undefined {
  for (let next: unknown = error; next instanceof Error; next = next.cause) {
    if ('partition' in next && typeof next.partition === 'number') return next.partition;
  }
  return undefined;
}
