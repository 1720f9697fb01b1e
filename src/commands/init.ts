import { initialise, type InitResult } from '../app/init.ts';
import { parseTableName } from '../app/init/choose-table.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { deadLetterTopicFlag } from '../cli/dead-letter-flags.ts';
import { databaseFlags, initFlags, logFlags } from '../cli/flags.ts';
import { sameServiceFlags } from '../cli/same-service.ts';
import { renderInit } from '../cli/views/init.ts';

export default class Init extends BaseCommand<InitResult> {
  static override summary = 'Set up this service: the ledger, the binding to its users table, the topic.';
  static override description =
    "Safe to repeat: what is there stays, and the service's own table is never altered. Where it has none, public.users is made.";
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --table app.members --key-column id --rules lenient',
  ];
  static override flags = {
    ...logFlags,
    ...databaseFlags,
    ...initFlags,
    ...deadLetterTopicFlag,
  };

  protected async execute(): Promise<InitResult> {
    const { flags } = await this.parse(Init);
    const context = this.context(flags);
    const { config } = context;
    const dependencies = {
      database: await context.database(),
      log: await context.log(),
      migrateLedger: () => context.migrateLedger(),
    };
    const result = await initialise(dependencies, {
      rules: config.rules,
      partitions: config.partitions,
      table: config.table === null ? null : parseTableName(config.table),
      keyColumn: config.keyColumn,
      extraColumn: config.extraColumn,
      createdColumn: config.createdColumn,
      updatedColumn: config.updatedColumn,
      topic: config.topic,
      deadLetters:
        config.deadLetterTopic === null ? null : await context.log('short', config.deadLetterTopic),
    });
    return this.report(result, (_, style) => renderInit(result, style, sameServiceFlags(flags)));
  }
}
