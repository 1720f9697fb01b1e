import { BaseCommand } from '../cli/base-command.ts';
import type { Style } from '../cli/theme.ts';
import { visible } from '../cli/sanitize.ts';

export interface UpResult {
  /** False where it ran already. */
  readonly started: boolean;
  readonly port: number;
  readonly dataDir: string;
}

export default class Up extends BaseCommand<UpResult> {
  static override summary = 'Start the embedded PostgreSQL, which other commands start at first use.';
  static override description =
    'Without KAFKA_BROKERS, EVENT_LOG_URL and DATABASE_URL it holds the event log and the users. Stop it with `down`.';
  static override examples = ['<%= config.bin %> up', '<%= config.bin %> up --json'];

  protected async execute(): Promise<UpResult> {
    const { flags } = await this.parse(Up);
    const { started, port, dataDir } = await this.context(flags, 'none').engine.start();
    return this.report({ started, port, dataDir }, renderUp);
  }
}

function renderUp({ started, port, dataDir }: UpResult, { theme }: Style): string {
  return [
    `${theme.good('✓')} The embedded PostgreSQL ${started ? 'is up' : 'was up already'}, in ${visible(dataDir)}`,
    `  event log  postgres://127.0.0.1:${String(port)}/event_log`,
    `  users      postgres://127.0.0.1:${String(port)}/users`,
  ].join('\n');
}
