import type { Environment } from '../config/settings.ts';

/**
 * Named points of the consumer at which a fault test kills the process: `USER_EVENTS_FAULT_POINT=after-statement:3`
 * is the third time that it passes there. Without the variable this does nothing.
 */
export function faultPoints(env: Environment): (point: string) => Promise<void> {
  const [wanted, times] = (env['USER_EVENTS_FAULT_POINT'] ?? '').split(':');
  if (wanted === undefined || wanted === '') return () => Promise.resolve();
  let left = Number(times ?? '1');
  return (point) => {
    if (point === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
    return Promise.resolve();
  };
}
