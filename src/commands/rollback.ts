import { Flags } from '@oclif/core';
import { rollBack } from '../app/rollback/roll-back.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { databaseFlags, dryRunFlag, logFlags, timeoutFlag, yesFlag } from '../cli/flags.ts';
import { chooseMode, readEventIds, readMode } from '../cli/rollback-choice.ts';
import { renderPlans, renderRollback, type RollbackResult } from '../cli/views/rollback.ts';

const DEFAULT_WAIT_S = 30;

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
  static override flags = {
    ...logFlags,
    ...databaseFlags,
    ...dryRunFlag,
    ...yesFlag,
    ...timeoutFlag,
    'event-id': Flags.string({
      multiple: true,
      default: [],
      summary: 'Event to withdraw; may be repeated.',
      helpValue: 'UUID',
    }),
    'all-failed': Flags.boolean({
      summary: 'Withdraw every failed event of this service.',
      exclusive: ['event-id', 'from-file'],
    }),
    'from-file': Flags.string({
      summary: 'File with event ids, one a line, or what `failures --json` prints; - is stdin.',
      helpValue: 'FILE',
    }),
    only: Flags.boolean({
      summary: 'Withdraw the events alone; later ones are executed again without them.',
      exclusive: ['cascade'],
    }),
    cascade: Flags.boolean({ summary: 'Withdraw also every later event of the user.' }),
    force: Flags.boolean({ summary: 'Set the row back also where it was changed from outside the log.' }),
    reason: Flags.string({ summary: 'Why; kept with the event and in every ledger.', helpValue: 'TEXT' }),
    wait: Flags.boolean({
      summary: 'Return when this service’s consumer has executed it, with the outcome.',
    }),
  };

  protected async execute(): Promise<RollbackResult> {
    const { flags } = await this.parse(Rollback);
    const eventIds = await readEventIds(flags['event-id'], flags['from-file']);
    const context = this.context(flags, flags['dry-run'] ? 'database' : 'both');
    const { config, signal } = context;
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
      chooseMode: (plans) => {
        this.show(plans, renderPlans);
        return chooseMode(this.prompts, plans);
      },
      confirm: async (plans) => {
        if (!flags.yes) this.show(plans, renderPlans);
        const typed = config.isProduction && config.profile !== null ? { typed: config.profile } : {};
        await this.prompts.confirm('Publish this rollback to every service?', { yes: flags.yes, ...typed });
      },
    });
    return this.report(result, renderRollback, result.exit);
  }
}
