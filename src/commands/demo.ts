import { BaseCommand } from '../cli/base-command.ts';
import { setStage } from '../cli/demo/stage.ts';
import { tour, type TourResult } from '../cli/demo/tour.ts';
import { createUuidV7 } from '../cli/uuid-v7.ts';

export default class Demo extends BaseCommand<TourResult> {
  static override summary = 'A short tour: two services in sync, a failed event, its trace and its rollback.';
  static override description =
    'Runs on the embedded engine, in databases of its own (demo_log, demo_orders, demo_billing), which are made anew.';

  protected async execute(): Promise<TourResult> {
    await this.parse(Demo);
    const notify = (text: string): void => {
      this.notice(text);
    };
    const stage = await setStage(process.env, this.signal, notify);
    const result = await tour(stage, {
      style: this.style,
      signal: this.signal,
      newId: createUuidV7(Date.now),
      tell: (text) => (this.isJson ? Promise.resolve() : this.printLine(text)),
    });
    return this.report(result, ({ isEqual }) => (isEqual ? END : ''), result.isEqual ? 0 : 7);
  }
}

const END = `
That was the main job. The embedded engine goes on running: \`npx user-events down\` stops it.
With your own: set KAFKA_BROKERS and DATABASE_URL, then \`npx user-events init\` and \`npx user-events consume\`.`;
