import { setTimeout as delay } from 'node:timers/promises';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { ServiceStatus } from '../status.ts';

const LOOK_EVERY_MS = 200;

/** Waits until the lag is `maxLag` offsets or less. TIMED_OUT after `timeoutMs`. */
export async function awaitLag(
  read: () => Promise<ServiceStatus>,
  maxLag: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ServiceStatus> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const status = await read();
    if (status.lag <= BigInt(maxLag)) return status;
    if (performance.now() > until) {
      const message = `The lag is ${String(status.lag)}, more than ${String(maxLag)}, after ${String(timeoutMs / 1000)} s`;
      const hint =
        status.members.length === 0 ? 'No consumer is running in this group.' : 'Is the consumer moving?';
      throw new UserEventsError('TIMED_OUT', message, { hint, facts: { lag: Number(status.lag) } });
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
