import { BaseCommand } from '../cli/base-command.ts';
import { repairAndTell, verifyFor } from '../cli/verify.ts';
import { DEFAULT_DIFFERENCES, verifyFlags } from '../cli/verify-flags.ts';
import { exitOfVerify, renderVerify, type VerifyReport } from '../cli/views/verify.ts';

/** Exit 6 where the table, or the ledger, is not what the log makes of it. */
export default class Verify extends BaseCommand<VerifyReport> {
  static override summary = 'Prove that the users table is what the log makes of it.';
  static override description =
    "Folds every user's applied events and compares with the table, on what events have carried. One snapshot of the " +
    'database; a consumer may run meanwhile.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --from-log --exact',
    '<%= config.bin %> <%= command.id %> --fix --yes --reason "restored from a backup"',
    '<%= config.bin %> <%= command.id %> --digest --columns name,email',
  ];
  static override flags = verifyFlags;

  protected async execute(): Promise<VerifyReport> {
    const { flags } = await this.parse(Verify);
    const context = this.context(flags, flags['from-log'] ? 'both' : 'database');
    const verified = await verifyFor({
      context,
      isFromLog: flags['from-log'],
      isExact: flags.exact,
      limit: flags.limit ?? DEFAULT_DIFFERENCES,
      digestColumns: flags.digest ? (flags.columns?.split(',').map((name) => name.trim()) ?? 'all') : null,
      progress: this.progress('Verifying'),
    });
    const found = { ...verified.result, repaired: null };
    if (!flags.fix || verified.result.differenceCount === 0)
      return this.report(found, renderVerify, exitOfVerify(found));
    if (!flags.yes) this.show(found, renderVerify);
    const { prompts } = this;
    const progress = this.progress('Setting rows');
    const input = { ...verified, ...flags, context, command: 'verify --fix', prompts, progress } as const;
    const { report, view } = await repairAndTell(input);
    return this.report(report, view, exitOfVerify(report));
  }
}
