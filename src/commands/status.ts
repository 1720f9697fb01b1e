import { Flags } from '@oclif/core';
import { awaitLag, readStatus, type ServiceStatus } from '../app/status.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { databaseFlags, groupFlag, logFlags, timeoutFlag } from '../cli/flags.ts';
import { renderStatus } from '../cli/views/status.ts';

const DEFAULT_WAIT_S = 60;

export default class Status extends BaseCommand<ServiceStatus> {
  static override summary =
    'How far this service is: position and lag by partition, what is failed and parked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --wait --max-lag 0 --timeout 60',
  ];
  static override flags = {
    ...logFlags,
    ...databaseFlags,
    ...groupFlag,
    ...timeoutFlag(DEFAULT_WAIT_S),
    wait: Flags.boolean({ summary: 'Return when the lag is small enough; exit 6 when it is not in time.' }),
    'max-lag': Flags.integer({
      min: 0,
      default: 0,
      summary: 'How many offsets behind is small enough.',
      helpValue: 'N',
    }),
  };

  protected async execute(): Promise<ServiceStatus> {
    const { flags } = await this.parse(Status);
    const context = this.context(flags, 'both');
    const [log, database] = [await context.log(), await context.database()];
    const request = { group: context.config.group, now: () => context.now() };
    const read = (): Promise<ServiceStatus> => readStatus(log, database, request);
    const timeoutMs = (flags.timeout ?? DEFAULT_WAIT_S) * 1000;
    const status = flags.wait ? await awaitLag(read, flags['max-lag'], timeoutMs, this.signal) : await read();
    return this.report(status, renderStatus);
  }
}
