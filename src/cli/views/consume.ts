import type { ConsumeSummary } from '../../app/consume/consume.ts';
import type { View } from '../theme.ts';

const count = (value: number): string => value.toLocaleString('en-US');

/** `Executed 20,000 events in 1.2 s (16,667/s): 19,990 applied, 1 failed …` */
export const renderConsumed: View<ConsumeSummary> = (summary, { theme }) => {
  const seconds = summary.elapsedMs / 1000;
  const rate = seconds > 0.5 && summary.events > 0 ? `, ${count(summary.eventsPerSecond)}/s` : '';
  const parts = [
    summary.applied > 0 || summary.events === 0 ? theme.good(`${count(summary.applied)} applied`) : null,
    summary.failed > 0 ? theme.bad(`${count(summary.failed)} failed`) : null,
    summary.parked > 0 ? theme.warn(`${count(summary.parked)} parked`) : null,
    summary.skipped > 0 ? `${count(summary.skipped)} ignored` : null,
    summary.duplicates > 0
      ? `${count(summary.duplicates)} ${summary.duplicates === 1 ? 'duplicate' : 'duplicates'}`
      : null,
    summary.rollbacks > 0 ? theme.good(`${count(summary.rollbacks)} rolled back`) : null,
    summary.rollbacksRefused > 0 ? theme.warn(`${count(summary.rollbacksRefused)} refused`) : null,
    summary.rollbacksFailed > 0
      ? theme.bad(
          `${count(summary.rollbacksFailed)} ${summary.rollbacksFailed === 1 ? 'rollback' : 'rollbacks'} not executable`,
        )
      : null,
  ].filter((part) => part !== null);
  const line = `Decided on ${count(summary.events)} ${summary.events === 1 ? 'event' : 'events'} in ${seconds.toFixed(1)} s${rate}: ${parts.join(', ')}`;
  if (summary.stoppedBy !== null) {
    const { eventId, code } = summary.stoppedBy;
    return `${line}\n${theme.bad('Stopped')} at event ${eventId}, which failed with ${code}\n${theme.dim(`  → See \`user-events trace ${eventId}\`.`)}`;
  }
  const failed = summary.failed + summary.rollbacksFailed;
  return failed > 0 ? `${line}\n${theme.dim('  → See `user-events failures`.')}` : line;
};

/** 7 where an event failed; 0 for a drained stop by a signal, whatever had failed: that was told when it did (DESIGN 7). */
export function exitOfConsumed({ endedBy, failed, rollbacksFailed }: ConsumeSummary): 0 | 7 {
  return endedBy !== 'signal' && failed + rollbacksFailed > 0 ? 7 : 0;
}
