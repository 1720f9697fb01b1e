/**
 * A command that does what its one argument says, run as a process of its own: for the tests of what base-command does
 * with exit codes, signals and streams. `waiting` on stderr says that a signal may come.
 */
import { fileURLToPath } from 'node:url';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { logFlags } from '../../src/cli/flags.ts';
import { endProcess } from '../../src/cli/main.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';

interface FixtureResult {
  readonly offset: bigint;
  readonly name: string;
}

class Fixture extends BaseCommand<FixtureResult> {
  static override id = 'fixture';
  static override args = { job: Args.string({ required: true }) };
  static override flags = { ...logFlags, count: Flags.integer({ default: 1 }) };
  protected override readonly drains = process.env['FIXTURE_DRAINS'] === '1';

  protected async execute(): Promise<FixtureResult | undefined> {
    const { args, flags } = await this.parse(Fixture);
    switch (args.job) {
      case 'result':
        return this.report({ offset: 9007199254740993n, name: 'Ada' }, ({ name }) => `name ${name}`);
      case 'failed events':
        return this.report({ offset: 1n, name: 'Ada' }, ({ name }) => `name ${name}`, 7);
      case 'expected error':
        throw new UserEventsError('EVENT_NOT_FOUND', 'There is no event \u001b[31mx', {
          facts: { eventId: 'x' },
        });
      case 'bug':
        throw new TypeError('undefined is not a function');
      case 'wait':
        return this.wait(false);
      case 'finish at the signal':
        return this.wait(true);
      case 'lines':
        for (let at = 0; at < flags.count && !this.signal.aborted; at += 1) {
          await this.printItem({ at }, () => `line ${String(at)}`);
        }
        return undefined;
      case 'brokers':
        return this.report({ offset: 0n, name: String(flags.brokers) }, ({ name }) => name);
      case 'config': {
        const { config } = this.context(flags);
        return this.report({ offset: 0n, name: config.topic }, ({ name }) => name);
      }
      case 'slow query': {
        const { pool } = await this.context(flags, 'database').database();
        process.stderr.write('waiting\n');
        await pool.query('select pg_sleep(60)');
        return undefined;
      }
      case 'notice':
        this.notice('something is worth knowing');
        return undefined;
      default:
        throw new Error(`unknown job ${args.job}`);
    }
  }

  private async wait(isResolved: boolean): Promise<undefined> {
    const forever = setInterval(() => undefined, 60_000);
    process.stderr.write('waiting\n');
    await new Promise((resolve) => {
      this.signal.addEventListener('abort', () => isResolved && resolve(undefined), { once: true });
    });
    clearInterval(forever);
    return undefined;
  }
}

await Fixture.run(process.argv.slice(2), fileURLToPath(new URL('../..', import.meta.url)));
await endProcess();
