import { openLedger } from '../app/consume/open-group.ts';
import { prune, type PruneResult } from '../app/prune.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { confirmAction } from '../cli/guard.ts';
import { pruneFlags, readCutoff } from '../cli/prune-flags.ts';
import { renderPrune } from '../cli/views/prune.ts';

export default class Prune extends BaseCommand<PruneResult> {
  static override summary = 'Empty old events of the ledger: what they carried, and images of rows.';
  static override description =
    'Retention for the ledger, beside a running consumer. Id, offset, user, operation and status stay, so that replays and ' +
    'decisions stay right; so does what failed and parked events need, and what `verify` needs. A rollback that would need ' +
    'what was pruned fails (IMAGE_PRUNED). Stopped at any moment, it can be run again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --older-than 90d --dry-run',
    '<%= config.bin %> <%= command.id %> --older-than 26w --yes',
  ];
  static override flags = pruneFlags;

  protected async execute(): Promise<PruneResult> {
    const { flags } = await this.parse(Prune);
    const context = this.context(flags, 'database');
    const before = readCutoff(flags['older-than'], context.now());
    const database = await context.database();
    const ledger = await openLedger(database);
    const isDryRun = flags['dry-run'];
    if (!isDryRun) {
      const question = `Empty what the ledger holds of events decided on before ${before.toISOString()}?`;
      await confirmAction(this.prompts, context.config, flags, question);
    }
    const progress = this.progress('Pruning');
    const onProgress = (events: number): void => {
      progress.update(events);
    };
    const request = { before, isDryRun, signal: this.signal, onProgress };
    const result = await prune(database, ledger, request).finally(() => {
      progress.stop();
    });
    return this.report(result, renderPrune);
  }
}
