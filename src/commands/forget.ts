import { Args } from '@oclif/core';
import { openLedger } from '../app/consume/open-group.ts';
import { forget, type ForgetResult } from '../app/forget.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { confirmAction } from '../cli/guard.ts';
import { databaseFlags, dryRunFlag, logFlags, yesFlag } from '../cli/flags.ts';
import { renderForget } from '../cli/views/prune.ts';

export default class Forget extends BaseCommand<ForgetResult> {
  static override summary = "Empty what this service's ledger holds of one user's personal data.";
  static override description =
    'For a user who was deleted by an event. Says what still lies in the log, which nobody can take out before its ' +
    'retention does. Every other service has a ledger of its own: run it there, too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> u1 --dry-run',
    '<%= config.bin %> <%= command.id %> u1 --yes',
  ];
  static override args = { userId: Args.string({ required: true, description: 'The user to forget.' }) };
  static override flags = { ...logFlags, ...databaseFlags, ...dryRunFlag, ...yesFlag };

  protected async execute(): Promise<ForgetResult> {
    const { args, flags } = await this.parse(Forget);
    const context = this.context(flags);
    const { operator } = context.config;
    const [log, database] = [await context.log(), await context.database()];
    const ledger = await openLedger(database);
    const request = { userId: args.userId, operator };
    if (!flags['dry-run']) {
      // What stands in the way is said before anything is asked.
      await forget(log, database, ledger, { ...request, isDryRun: true });
      const question = `Empty what the ledger holds of user ${args.userId}?`;
      await confirmAction(this.prompts, context.config, flags, question);
    }
    const result = await forget(log, database, ledger, { ...request, isDryRun: flags['dry-run'] });
    return this.report(result, renderForget);
  }
}
