import { UserEventsError } from '../../errors/user-events-error.ts';
import type { KafkaAdmin } from './admin.ts';
import type { Destination } from './errors.ts';
import { waitOrEnd } from './patience.ts';

const TIMES_ASKED = 3;
const BETWEEN_MS = 300;

/**
 * Whether a topic that a broker did not know is gone for good: a broker that has just started may not have heard of
 * it yet. Rides out brokers that are away; ends with LOG_UNREACHABLE when `signal` aborts.
 */
export async function isTopicGone(admin: KafkaAdmin, to: Destination, signal: AbortSignal): Promise<boolean> {
  for (let asked = 0; asked < TIMES_ASKED; asked += 1) {
    await waitOrEnd(BETWEEN_MS, signal, to);
    try {
      await admin.partitionCount({ patience: 'long', signal });
      return false;
    } catch (error) {
      if (!(error instanceof UserEventsError) || error.code !== 'TOPIC_NOT_FOUND') throw error;
    }
  }
  return true;
}
