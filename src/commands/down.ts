import { BaseCommand } from '../cli/base-command.ts';

export interface DownResult {
  /** False where it did not run. */
  readonly stopped: boolean;
  readonly dataDir: string;
}

export default class Down extends BaseCommand<DownResult> {
  static override summary = 'Stop the embedded PostgreSQL. Its data stays.';
  static override examples = ['<%= config.bin %> down'];

  protected async execute(): Promise<DownResult> {
    const { flags } = await this.parse(Down);
    const { engine, config } = this.context(flags, 'none');
    const outcome = await engine.stop();
    return this.report(
      { stopped: outcome === 'stopped', dataDir: config.dataDir },
      ({ stopped }, { theme }) =>
        stopped ? `${theme.good('✓')} Stopped. The data stays in ${config.dataDir}` : 'It was not running.',
    );
  }
}
