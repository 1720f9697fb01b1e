import { openPublisher, publishEvent, type PublishedEvent } from '../app/publish.ts';
import { publishInput, type PublishSummary } from '../app/publish/publish-input.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { createPhases } from '../cli/phases.ts';
import { publishArgs, publishFlags } from '../cli/publish-flags.ts';
import { readJob } from '../cli/publish-options.ts';
import { renderPublish } from '../cli/views/publish.ts';

export default class Publish extends BaseCommand<PublishedEvent | PublishSummary> {
  static override summary = 'Publish one event, or many from NDJSON, all checked before the first is sent.';
  static override description =
    'A line of --from-file is {"operation":"create","userId":"u1","data":{…}} (with eventId, time, traceparent, causationId ' +
    'where wanted), a plain user {"userId":"u1",…} (a put), or a record as `log --json` prints it, which is sent byte for ' +
    'byte. Where sending stops midway the error says how to go on. Without arguments a terminal is asked.';
  static override usage = [
    '<%= command.id %> [OPERATION] [USER_ID] [--name TEXT] [--email ADDRESS] [--set FIELD=VALUE]… [--data JSON]',
    '<%= command.id %> --from-file FILE|- [--keep-going [--rejects FILE]]',
  ];
  static override examples = [
    '<%= config.bin %> <%= command.id %> create u1 --name Ada --email ada@example.com',
    '<%= config.bin %> <%= command.id %> update u1 --set age=37 --set city=null --wait',
    '<%= config.bin %> <%= command.id %> --from-file users.ndjson --keep-going',
    '<%= config.bin %> log --json -t old | <%= config.bin %> <%= command.id %> -t new --from-file -',
  ];
  static override args = publishArgs;
  static override flags = publishFlags;
  protected override readonly drains = true;

  protected async execute(): Promise<PublishedEvent | PublishSummary> {
    const { args, flags } = await this.parse(Publish);
    const job = await readJob(args, flags, this.prompts);
    const context = this.context(flags, flags.wait ? 'both' : 'log');
    const { config, signal } = context;
    const db = config.database.engine === 'missing' ? null : await context.database();
    const clock = { now: () => context.now(), newId: () => context.newId() };
    const settings = { db, types: config, source: config.source, ...clock, signal };
    const publisher = await openPublisher(await context.log(), settings);
    const isDryRun = flags['dry-run'];
    const wait = flags.wait && db !== null ? { db, timeoutMs: (flags.timeout ?? 30) * 1000 } : null;
    const phases = createPhases((label) => this.progress(label));
    const onAway = (isAway: boolean): void => {
      this.notice(
        isAway ? 'The log does not answer: it is waited for, up to two minutes' : 'The log is back',
      );
    };
    const shared = { isDryRun, wait, onProgress: phases.update, onAway };
    try {
      const result = await (job.kind === 'event'
        ? publishEvent(publisher, { event: job.event, isDryRun, wait })
        : publishInput({ ...publisher, log: await context.log('long') }, { ...job.input, ...shared }));
      phases.stop();
      return await this.report(result, renderPublish, result.hasFailures ? 7 : 0);
    } finally {
      phases.stop();
    }
  }
}
