import { rollBack } from '../app/rollback/roll-back.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { rollbackFlags } from '../cli/rollback-flags.ts';
import { readRollback, rollbackQuestions } from '../cli/rollback-request.ts';
import { renderRollback, type RollbackResult } from '../cli/views/rollback.ts';

export default class Rollback extends BaseCommand<RollbackResult> {
  static override summary = 'Withdraw events, in every service that consumes the topic.';
  static override description =
    'Shows first what would happen: the row now and then, field by field, and every event whose status would change. ' +
    'Then publishes one compensating event a user; every consumer group decides on it alike and reverts what it had applied. ' +
    'What is withdrawn already, or under way, is left alone: a bulk that was stopped is run again. At a terminal, without ' +
    'events, lets one be searched for and picked.';
  static override examples = [
    '<%= config.bin %> rollback',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --dry-run',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --cascade --reason "wrong import" --yes --wait',
    '<%= config.bin %> rollback --constraint users_email_key --since 1h --only --yes',
  ];
  static override flags = rollbackFlags;
  // Ends between two portions: what was sent stays sent, and is counted.
  protected override readonly drains = true;

  protected async execute(): Promise<RollbackResult> {
    const { flags } = await this.parse(Rollback);
    const context = this.context(flags, flags['dry-run'] ? 'database' : 'both');
    const { prompts } = this;
    const progress = this.progress('Rolling back');
    const questions = rollbackQuestions(prompts, context.config, flags, {
      show: (thing, view) => {
        progress.stop();
        this.show(thing, view);
      },
      notice: (text) => {
        this.notice(text);
      },
    });
    const request = await readRollback(context, prompts, flags);
    const result = await rollBack(await context.database(), {
      ...request,
      ...questions,
      onProgress: (step, done, total) => {
        progress.update(done, total, step === 'plan' ? 'planned' : 'sent');
      },
    }).finally(() => {
      progress.stop();
    });
    const { exit, ...shown } = result;
    return this.report(shown, renderRollback, exit);
  }
}
