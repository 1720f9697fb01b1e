import type { DeadLetterEntry } from '../app/dead-letters/list-letters.ts';
import { listFailures, type Failure } from '../app/failures.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { failuresWanted, isFiltered } from '../cli/failure-filter.ts';
import { listLettersFor, type LetterListFlags } from '../cli/dead-letters.ts';
import { DEFAULT_SHOWN, failuresFlags } from '../cli/failures-flags.ts';
import { sameServiceFlags } from '../cli/same-service.ts';
import { renderDeadLetters } from '../cli/views/dead-letters.ts';
import { renderFailures } from '../cli/views/failures.ts';

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
  static override flags = failuresFlags;

  protected async execute(): Promise<undefined> {
    const { flags } = await this.parse(Failures);
    const limit = flags.limit ?? (this.isJson ? null : DEFAULT_SHOWN);
    const topic = flags['dead-letter'];
    if (topic !== undefined) return this.listLetters(topic, { ...flags, limit });
    const context = this.context(flags, 'database');
    const [wanted, nowMs] = [failuresWanted(flags), context.now()];
    const { shown, onPage } = this.pages<Failure>();
    const request = { wanted, limit, isCounted: !this.isJson, nowMs, onPage };
    const summary = await listFailures(await context.database(), request);
    const list = { shown, summary, isFiltered: isFiltered(wanted), flags: sameServiceFlags(flags) };
    if (!this.isJson) await this.printLine(renderFailures(list, this.style, nowMs));
  }

  private async listLetters(topic: string, flags: LetterListFlags): Promise<undefined> {
    const context = this.context(flags, 'log');
    const { shown, onPage } = this.pages<DeadLetterEntry>();
    const total = await listLettersFor(context, topic, flags, onPage);
    if (!this.isJson) await this.printLine(renderDeadLetters(shown, total, this.style, context.now()));
  }

  /** Prints pages as NDJSON, or keeps what they have for the table. */
  private pages<Item extends object>() {
    const shown: Item[] = [];
    const onPage = async (page: readonly Item[]): Promise<void> => {
      if (!this.isJson) shown.push(...page);
      else for (const item of page) await this.printJson(item);
    };
    return { shown, onPage };
  }
}
