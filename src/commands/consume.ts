import { BaseCommand } from '../cli/base-command.ts';
import { CONSUMER_DATABASE, readConsumeOptions } from '../cli/consume-options.ts';
import { consumeFlags } from '../cli/consume-flags.ts';
import { exitOfConsumed, renderConsumed } from '../cli/views/consume.ts';
import { watchConsumer, type WatchOutput } from '../cli/watch-consumer.ts';
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
    '<%= config.bin %> <%= command.id %> --metrics-port 9464',
    '<%= config.bin %> <%= command.id %> --from @2026-01-31T12:00:00Z',
  ];
  static override flags = consumeFlags;
  protected override readonly drains = true;

  protected async execute(): Promise<ConsumeSummary> {
    const { flags } = await this.parse(Consume);
    const context = this.context(flags, 'both');
    const options = readConsumeOptions(context.config, flags, context.now());
    const watch = await watchConsumer(context, this.watchers(), this.config.version);
    const { reporter, observe } = watch;
    try {
      const { onStatement } = reporter;
      const database = await context.database({ ...CONSUMER_DATABASE, onStatement });
      const log = await context.log('long');
      const { deadLetterTopic } = context.config;
      const deadLetters = deadLetterTopic === null ? null : await context.log('long', deadLetterTopic);
      const ended = await consume(log, database, { ...options, signal: this.signal, observe, deadLetters });
      const summary = { ...ended, elapsedMs: Math.round(ended.elapsedMs) };
      reporter.stop();
      return await this.report(summary, renderConsumed, exitOfConsumed(summary));
    } finally {
      await watch.stop();
    }
  }

  private watchers(): WatchOutput {
    return {
      isJson: this.isJson,
      line: this.liveLine(),
      notice: (text) => {
        this.notice(text);
      },
      printLine: (line) => this.printLine(line),
    };
  }
}
