import { examine, failedCheck, type DoctorResult } from '../app/doctor.ts';
import { BaseCommand } from '../cli/base-command.ts';
import type { Context } from '../cli/context.ts';
import { findProgram } from '../cli/find-program.ts';
import { databaseFlags, logFlags } from '../cli/flags.ts';
import { renderDoctor } from '../cli/views/doctor.ts';

/** Exit 3 or 4 where a check failed: the worst of them. */
export default class Doctor extends BaseCommand<DoctorResult> {
  static override summary =
    'Check everything that is needed, and say the mend of what is not as it should be.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];
  static override flags = { ...logFlags, ...databaseFlags };

  protected async execute(): Promise<DoctorResult> {
    const { flags } = await this.parse(Doctor);
    const result = await this.examine(flags);
    const exits = result.checks.map(({ state, exit }) => (state === 'fail' ? (exit ?? 3) : 0));
    return this.report(result, renderDoctor, exits.includes(4) ? 4 : exits.includes(3) ? 3 : 0);
  }

  private async examine(flags: Readonly<Record<string, unknown>>): Promise<DoctorResult> {
    let context: Context;
    try {
      context = this.context(flags);
    } catch (error) {
      return { healthy: false, checks: [failedCheck('configuration', error)] };
    }
    const { config, engine } = context;
    const isEmbedded = config.log.engine === 'embedded' || config.database.engine === 'embedded';
    return examine({
      nodeVersion: process.version,
      topic: config.topic,
      openLog: () => context.log(),
      openDatabase: () => context.database(),
      ledgerState: () => context.ledgerState(),
      engineStatus: isEmbedded ? engine.status : null,
      findProgram,
      explain: (error) => context.explain(error),
    });
  }
}
