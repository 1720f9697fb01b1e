import { Args, Flags } from '@oclif/core';
import { decideAgainFor } from '../cli/decide-again.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { databaseFlags, yesFlag } from '../cli/flags.ts';
import { exitOfDecided, renderDecidedAgain, type DecidedAgainResult } from '../cli/views/decide-again.ts';

export default class Retry extends BaseCommand<DecidedAgainResult> {
  static override summary = 'Execute failed events again, after their cause is mended.';
  static override description =
    'A local decision of this service: it touches its database alone, and is safe beside a running consumer. ' +
    'What an event held back is released, in order, when it is executed.';
  static override examples = [
    '<%= config.bin %> retry 0190a3c4-…',
    '<%= config.bin %> retry --all-failed --yes',
  ];
  static override strict = false;
  static override args = {
    eventId: Args.string({ description: 'Event to execute again; several may follow.' }),
  };
  static override flags = {
    ...databaseFlags,
    ...yesFlag,
    'all-failed': Flags.boolean({ summary: 'Retry every failed event.' }),
    'from-file': Flags.string({
      summary: 'File with event ids, one a line, or what `failures --json` prints.',
      helpValue: 'FILE',
    }),
    force: Flags.boolean({
      summary: 'Execute a failed rollback over a row that was changed from outside the log.',
    }),
    reason: Flags.string({ summary: 'Why; kept in the audit trail.', helpValue: 'TEXT' }),
  };

  protected async execute(): Promise<DecidedAgainResult> {
    const { argv, flags } = await this.parse(Retry);
    const context = this.context(flags, 'database');
    const events = await decideAgainFor({
      kind: 'retry',
      context,
      ids: argv.map(String),
      file: flags['from-file'],
      isAllFailed: flags['all-failed'],
      force: flags.force,
      reason: flags.reason ?? null,
      yes: flags.yes,
      prompts: this.prompts,
      progress: this.progress('Retrying'),
    });
    return this.report({ events }, renderDecidedAgain, exitOfDecided(events));
  }
}
