import type { ServiceStatus } from '../app/status.ts';
import { exitOf, lookAtServices, type Service, type ServicesStatus } from '../app/status/services.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { openLiveScreen } from '../cli/live-screen.ts';
import { statusFlags } from '../cli/status-flags.ts';
import { openServices } from '../cli/status-services.ts';
import { watchServices, type SeenServices } from '../cli/status-watch.ts';
import { renderLines, renderServices } from '../cli/views/status-services.ts';
import { renderStatus } from '../cli/views/status.ts';

export default class Status extends BaseCommand<ServiceStatus | ServicesStatus> {
  static override summary =
    'How far a service is: its consumers, position, lag and rate by partition, what is failed and parked.';
  static override description =
    'The rate is measured between two looks: half a second apart where something is behind and a consumer runs, the ' +
    'interval apart with --watch. The time to catch up takes into account what is written meanwhile.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch --interval 5',
    '<%= config.bin %> <%= command.id %> --wait --max-lag 0 --timeout 60',
    '<%= config.bin %> <%= command.id %> --profile billing --profile search',
  ];
  static override flags = statusFlags;

  protected async execute(): Promise<ServiceStatus | ServicesStatus | undefined> {
    const { flags } = await this.parse(Status);
    const services = openServices((...settings) => this.context(...settings), flags);
    if (flags.watch) return this.#watch(services, flags.interval);
    const [only] = services;
    if (only !== undefined && services.length === 1) return this.report(await only.read(), renderStatus);
    const seen = await lookAtServices(services);
    return this.report(seen, renderServices, exitOf(seen));
  }

  async #watch(services: readonly Service[], intervalS: number): Promise<undefined> {
    const screen = this.isJson ? null : openLiveScreen(process, this.signal);
    const watching = { intervalS, signal: this.signal, screen, now: Date.now };
    const print = (seen: SeenServices): Promise<void> => this.printItem(seen, renderLines);
    this.endWith(await watchServices(services, { ...watching, print, style: () => this.style }));
    return undefined;
  }
}
