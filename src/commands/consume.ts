import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { CONSUMER_DATABASE, readConsumeOptions } from '../cli/consume-options.ts';
import { ConsumeReporter } from '../cli/consume-reporter.ts';
import { databaseFlags, groupFlag, logFlags } from '../cli/flags.ts';
import { renderConsumed } from '../cli/views/consume.ts';
import { consume, type ConsumeSummary } from '../app/consume/consume.ts';

/** Executes events on the users table until it is stopped. */
export default class Consume extends BaseCommand<ConsumeSummary> {
  static override summary = 'Execute the events of the log on this service’s users table.';
  static override description =
    'Each event is decided on once, in order per user: its effect, its row in the ledger and the position are one transaction. ' +
    'A failed event parks its user and nobody else. A log or database that is away is waited for. ' +
    'Ctrl-C or SIGTERM finishes the batch under way; a second one leaves at once, and nothing is lost either way.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --until-end --json',
    '<%= config.bin %> <%= command.id %> --from @2026-01-31T12:00:00Z',
  ];
  static override flags = {
    ...logFlags,
    ...databaseFlags,
    ...groupFlag,
    'until-end': Flags.boolean({ summary: 'End when what the log holds at the start is executed.' }),
    'max-events': Flags.integer({ min: 1, summary: 'End after about so many events (a batch is not cut).' }),
    'max-failed': Flags.integer({
      min: 1,
      env: 'USER_EVENTS_MAX_FAILED',
      summary:
        'Stop when more users than that fail one after the other: a bad migration rather than bad events.',
    }),
    'on-failure': Flags.option({
      options: ['park', 'stop'] as const,
      summary: 'What a failed event leads to besides its user being parked (default: park).',
      env: 'USER_EVENTS_ON_FAILURE',
    })(),
    'batch-size': Flags.integer({
      min: 1,
      max: 20_000,
      env: 'USER_EVENTS_BATCH_SIZE',
      summary: 'Events a transaction at the most (default: 2000).',
    }),
    from: Flags.string({
      summary: 'Where a new group starts: start (default), committed, or @TIME.',
      helpValue: 'WHERE',
    }),
    'accept-gap': Flags.boolean({
      summary: 'Go on where events are gone from the log, or the topic was made anew.',
    }),
  };
  protected override readonly drains = true;

  protected async execute(): Promise<ConsumeSummary> {
    const { flags } = await this.parse(Consume);
    const context = this.context(flags, 'both');
    const options = readConsumeOptions(context.config, flags, context.now());
    const database = await context.database(CONSUMER_DATABASE);
    const reporter = new ConsumeReporter({
      isJson: this.isJson,
      progress: this.progress('Consuming'),
      notice: (text) => {
        this.notice(text);
      },
      printLine: (line) => this.printLine(line),
    });
    const log = await context.log('long');
    try {
      const summary = await consume(log, database, { ...options, signal: this.signal, observe: reporter });
      reporter.stop();
      return await this.report(
        summary,
        renderConsumed,
        summary.failed > 0 || summary.rollbacksFailed > 0 ? 7 : 0,
      );
    } finally {
      reporter.stop();
    }
  }
}
