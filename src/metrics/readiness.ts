import type { ConsumerView } from '../app/consume/consumer-view.ts';
import type { DependencyState } from './state-gauges.ts';

/** Why a consumer is not ready, one line a reason; empty: it is. A member beyond the partitions is ready, as a spare. */
export function whyNotReady(
  phase: ConsumerView['phase'],
  up: DependencyState,
  isStopping: boolean,
): readonly string[] {
  return [
    ...(isStopping ? ['it is stopping'] : []),
    ...(up.database ? [] : ['the database does not answer, or takes no writes']),
    ...(up.log ? [] : ['the log does not answer']),
    ...(phase === 'joining' ? ['the group has not let it in yet'] : []),
    ...(phase === 'checking' ? ['its partitions are being taken over'] : []),
  ];
}
