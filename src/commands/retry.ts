import { Args } from '@oclif/core';
import { decideAgainFor } from '../cli/decide-again.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { refuseLedgerFlags } from '../cli/dead-letter-flags.ts';
import { exitOfPutBack, putBackFor, type PutBackFlags } from '../cli/dead-letters.ts';
import { retryFlags } from '../cli/retry-flags.ts';
import { renderPutBack } from '../cli/views/dead-letters.ts';
import type { PutBackResult } from '../app/dead-letters/put-back.ts';
import { exitOfDecided, renderDecidedAgain, type DecidedAgainResult } from '../cli/views/decide-again.ts';

export default class Retry extends BaseCommand<DecidedAgainResult | PutBackResult> {
  static override summary = 'Execute failed events again, after their cause is mended.';
  static override description =
    'A local decision of this service: it touches its database alone, and is safe beside a running consumer. ' +
    'What an event held back is released, in order, when it is executed.';
  static override examples = [
    '<%= config.bin %> retry 0190a3c4-…',
    '<%= config.bin %> retry --all-failed --max-attempts 5 --yes',
    '<%= config.bin %> retry --constraint users_email_key --since 1h --yes',
    '<%= config.bin %> retry --dead-letter user-events-dlt --dry-run',
  ];
  static override strict = false;
  static override args = {
    eventId: Args.string({ description: 'Event to execute again; several may follow.' }),
  };
  static override flags = retryFlags;
  // Ends between two portions: what was decided stays decided, and is counted.
  protected override readonly drains = true;

  protected async execute(): Promise<DecidedAgainResult | PutBackResult> {
    const { argv, flags } = await this.parse(Retry);
    const topic = flags['dead-letter'];
    if (topic !== undefined) return this.putBack(topic, flags, argv.map(String));
    const context = this.context(flags, 'database');
    const events = await decideAgainFor({
      kind: 'retry',
      context,
      ids: argv.map(String),
      flags,
      force: flags.force,
      maxAttempts: flags['max-attempts'] ?? null,
      reason: flags.reason ?? null,
      prompts: this.prompts,
      progress: this.progress('Retrying'),
    });
    return this.report({ events }, renderDecidedAgain, exitOfDecided(events));
  }

  private async putBack(topic: string, flags: PutBackFlags, ids: readonly string[]): Promise<PutBackResult> {
    refuseLedgerFlags(flags, ids);
    const result = await putBackFor(this.context(flags, 'both'), topic, flags, {
      prompts: this.prompts,
      progress: this.progress('Putting back'),
      show: (plan) => {
        this.show({ ...plan, isDryRun: true }, renderPutBack);
      },
    });
    return this.report(result, renderPutBack, exitOfPutBack(result));
  }
}
