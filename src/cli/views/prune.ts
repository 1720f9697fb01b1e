import type { ForgetResult } from '../../app/forget.ts';
import type { PruneResult } from '../../app/prune.ts';
import { visible } from '../sanitize.ts';
import type { View } from '../theme.ts';

const counted = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

export const renderPrune: View<PruneResult> = ({ isDryRun, before, users, events }, { theme }) => {
  const what = `${counted(events, 'event')} of ${counted(users, 'user')}, decided on before ${before}`;
  if (isDryRun) return `Would be emptied: ${what}\n${theme.dim('Dry run: nothing was pruned.')}`;
  return events === 0 ? 'Nothing is old enough: nothing was pruned' : `${theme.good('✓')} Emptied: ${what}`;
};

/** Offsets named per partition; the rest is counted. */
const OFFSETS_SHOWN = 20;

export const renderForget: View<ForgetResult> = ({ userId, isDryRun, events, topic, remains }, { theme }) => {
  const user = `user ${visible(userId)}`;
  const lines = [
    isDryRun
      ? `Would be emptied: ${counted(events, 'event')} of ${user} in the ledger`
      : `${theme.good('✓')} Emptied: ${counted(events, 'event')} of ${user} in the ledger`,
  ];
  if (remains.length === 0) lines.push('The log has no record of theirs any more.');
  else {
    const records = remains.reduce((sum, { offsets }) => sum + offsets.length, 0);
    lines.push(
      theme.warn(
        `The log still has ${counted(records, 'record')} of theirs, until its retention deletes them:`,
      ),
    );
    for (const { partition, offsets } of remains) {
      const named = offsets.slice(0, OFFSETS_SHOWN).join(', ');
      const more =
        offsets.length > OFFSETS_SHOWN ? ` … and ${String(offsets.length - OFFSETS_SHOWN)} more` : '';
      lines.push(`  ${visible(topic)}[${String(partition)}] at ${named}${more}`);
    }
  }
  lines.push(theme.dim('Not touched: other services, dead-letter topics, backups.'));
  if (isDryRun) lines.push(theme.dim('Dry run: nothing was emptied.'));
  return lines.join('\n');
};
