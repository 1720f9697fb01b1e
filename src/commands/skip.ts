import { Args, Flags } from '@oclif/core';
import { decideAgainFor } from '../cli/decide-again.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { databaseFlags, yesFlag } from '../cli/flags.ts';
import { targetFlags } from '../cli/target-flags.ts';
import { exitOfDecided, renderDecidedAgain, type DecidedAgainResult } from '../cli/views/decide-again.ts';

export default class Skip extends BaseCommand<DecidedAgainResult> {
  static override summary = 'Accept the loss of failed events, and release what they hold back.';
  static override description =
    'A local decision of this service: it touches its database alone. Skipping is final, until a rollback withdraws the event.';
  static override examples = ['<%= config.bin %> skip 0190a3c4-… --reason "test data"'];
  static override strict = false;
  static override args = { eventId: Args.string({ description: 'Event to skip; several may follow.' }) };
  static override flags = {
    ...databaseFlags,
    ...yesFlag,
    ...targetFlags('Skip'),
    reason: Flags.string({ required: true, summary: 'Why; kept in the audit trail.', helpValue: 'TEXT' }),
  };

  // Ends between two portions: what was decided stays decided, and is counted.
  protected override readonly drains = true;

  protected async execute(): Promise<DecidedAgainResult> {
    const { argv, flags } = await this.parse(Skip);
    const context = this.context(flags, 'database');
    const events = await decideAgainFor({
      kind: 'skip',
      context,
      ids: argv.map(String),
      flags,
      force: false,
      maxAttempts: null,
      reason: flags.reason,
      prompts: this.prompts,
      progress: this.progress('Skipping'),
    });
    return this.report({ events }, renderDecidedAgain, exitOfDecided(events));
  }
}
