import { rollBack } from '../app/rollback/roll-back.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { DEFAULT_WAIT_S, rollbackFlags } from '../cli/rollback-flags.ts';
import { chooseMode, obstacleWarnings, readEventIds, readMode } from '../cli/rollback-choice.ts';
import { renderPlans, renderRollback, type RollbackResult } from '../cli/views/rollback.ts';

export default class Rollback extends BaseCommand<RollbackResult> {
  static override summary = 'Withdraw events, in every service that consumes the topic.';
  static override description =
    'Shows first what would happen: the row now and then, field by field, and every event whose status would change. ' +
    'Then publishes one compensating event a user; every consumer group decides on it alike and reverts what it had applied. ' +
    'What is withdrawn already is left alone.';
  static override examples = [
    '<%= config.bin %> rollback --event-id 0190a3c4-… --dry-run',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --cascade --reason "wrong import" --yes --wait',
    '<%= config.bin %> rollback --all-failed --only --yes',
  ];
  static override flags = rollbackFlags;

  protected async execute(): Promise<RollbackResult> {
    const { flags } = await this.parse(Rollback);
    const eventIds = await readEventIds(flags['event-id'] ?? [], flags['from-file']);
    const context = this.context(flags, flags['dry-run'] ? 'database' : 'both');
    const { config, signal } = context;
    // What was shown when the mode was asked for need not be shown again.
    let isShown = false;
    const result = await rollBack(await context.database(), {
      log: () => context.log(),
      targets: flags['all-failed'] ? 'all failed' : eventIds,
      mode: readMode(flags),
      force: flags.force,
      isDryRun: flags['dry-run'],
      waitMs: flags.wait ? (flags.timeout ?? DEFAULT_WAIT_S) * 1000 : null,
      terms: {
        reason: flags.reason ?? null,
        operator: config.operator,
        source: config.source,
        newId: () => context.newId(),
      },
      signal,
      chooseMode: async (plans) => {
        this.show(plans, renderPlans);
        const mode = await chooseMode(this.prompts, plans);
        isShown = mode === 'only';
        return mode;
      },
      confirm: async (plans) => {
        if (!flags.yes && !isShown) this.show(plans, renderPlans);
        for (const warning of obstacleWarnings(plans)) this.notice(warning);
        const typed = config.isProduction && config.profile !== null ? { typed: config.profile } : {};
        await this.prompts.confirm('Publish this rollback to every service?', { yes: flags.yes, ...typed });
      },
    });
    return this.report(result, renderRollback, result.exit);
  }
}
