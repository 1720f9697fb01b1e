import type { DeadLetterEntry } from '../app/dead-letters/list-letters.ts';
import { listFailures, type Failure } from '../app/failures.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { failureFlags, failuresWanted } from '../cli/failure-flags.ts';
import { deadLetterFlags, refuseLedgerFlags } from '../cli/dead-letter-flags.ts';
import { listLettersFor } from '../cli/dead-letters.ts';
import { databaseFlags, limitFlag, logFlags } from '../cli/flags.ts';
import { sameServiceFlags } from '../cli/same-service.ts';
import { renderDeadLetters } from '../cli/views/dead-letters.ts';
import { renderFailures } from '../cli/views/failures.ts';

/** What people are shown without a limit: a screen or two. */
const DEFAULT_SHOWN = 30;

/** NDJSON under `--json`: a `Failure` a line, all of them unless there is a limit. */
export default class Failures extends BaseCommand<Failure | DeadLetterEntry> {
  static override summary = "List this service's failed events, newest last, and what each holds back.";
  static override description =
    'Classes: rule (what the rules of execution refuse, and fields without a place), database (what PostgreSQL refuses), ' +
    'unreadable (records that are no event), rollback (rollbacks that could not be executed here).';
  static override examples = [
    '<%= config.bin %> failures',
    '<%= config.bin %> failures --constraint users_email_key --since 1h',
    '<%= config.bin %> failures --dead-letter user-events-dlt',
    '<%= config.bin %> failures --sqlstate 23 --json | <%= config.bin %> rollback --from-file - --only --yes',
  ];
  static override flags = {
    ...databaseFlags,
    ...logFlags,
    ...limitFlag(`the newest ${String(DEFAULT_SHOWN)}, with --json all`),
    ...failureFlags,
    ...deadLetterFlags,
  };

  protected async execute(): Promise<undefined> {
    const { flags } = await this.parse(Failures);
    const topic = flags['dead-letter'];
    if (topic !== undefined) return this.listLetters(topic, flags);
    const context = this.context(flags, 'database');
    const nowMs = context.now();
    const wanted = failuresWanted(flags);
    const shown: Failure[] = [];
    const summary = await listFailures(await context.database(), {
      wanted,
      limit: flags.limit ?? (this.isJson ? null : DEFAULT_SHOWN),
      isCounted: !this.isJson,
      nowMs,
      onPage: async (failures) => {
        if (!this.isJson) shown.push(...failures);
        else for (const failure of failures) await this.printJson(failure);
      },
    });
    if (this.isJson) return;
    const isFiltered = Object.values(wanted).some((value) => value !== undefined);
    await this.printLine(
      renderFailures({ shown, summary, isFiltered, flags: sameServiceFlags(flags) }, this.style, nowMs),
    );
  }

  private async listLetters(
    topic: string,
    flags: Parameters<typeof refuseLedgerFlags>[0] & { readonly limit?: number | undefined },
  ): Promise<undefined> {
    refuseLedgerFlags(flags, ['code', 'class', 'sqlstate', 'constraint', 'field']);
    const context = this.context(flags, 'log');
    const shown: DeadLetterEntry[] = [];
    const limit = flags.limit ?? (this.isJson ? null : DEFAULT_SHOWN);
    const total = await listLettersFor(context, topic, { ...flags, limit }, async (entries) => {
      if (!this.isJson) shown.push(...entries);
      else for (const entry of entries) await this.printJson(entry);
    });
    if (!this.isJson) await this.printLine(renderDeadLetters(shown, total, this.style, context.now()));
  }
}
