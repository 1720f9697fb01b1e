import { BaseCommand } from '../cli/base-command.ts';
import { repairAndTell, verifyFor } from '../cli/verify.ts';
import { DEFAULT_DIFFERENCES, rebuildFlags } from '../cli/verify-flags.ts';
import { exitOfVerify, renderVerify, type VerifyReport } from '../cli/views/verify.ts';

/** Exit 6 where something still differs. */
export default class Rebuild extends BaseCommand<VerifyReport> {
  static override summary = 'Write what the log makes of the users into the table: differences only.';
  static override description =
    'For a table that was emptied, restored from a backup, or changed from outside. Folds the ledger (or believes the log, ' +
    'with --from-log) beside the table and writes what differs in one transaction: the table itself, its keys, views, ' +
    'grants and triggers stay. A consumer may run: it waits while rows are written. Killed at any moment, nothing is changed.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --yes --reason "restored from a backup"',
    '<%= config.bin %> <%= command.id %> --from-log --exact --yes',
  ];
  static override flags = rebuildFlags;

  protected async execute(): Promise<VerifyReport> {
    const { flags } = await this.parse(Rebuild);
    const context = this.context(flags, flags['from-log'] ? 'both' : 'database');
    const verified = await verifyFor({
      context,
      isFromLog: flags['from-log'],
      isExact: flags.exact,
      limit: DEFAULT_DIFFERENCES,
      digestColumns: null,
      progress: this.progress('Folding'),
    });
    const found = { ...verified.result, repaired: null };
    if (flags['dry-run']) return this.report(found, renderVerify, exitOfVerify(found));
    if (!flags.yes) this.show(found, renderVerify);
    const { prompts } = this;
    const progress = this.progress('Setting rows');
    const input = { ...verified, ...flags, context, command: 'rebuild', prompts, progress } as const;
    const { report, view } = await repairAndTell(input);
    return this.report(report, view, exitOfVerify(report));
  }
}
