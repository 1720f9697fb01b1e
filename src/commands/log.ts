import { openLogReader, readLog } from '../app/log.ts';
import { createNdjson, toRaw, toRows } from '../app/log/printed.ts';
import type { LogEntry } from '../app/log/read-entries.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { writeBytes } from '../cli/byte-output.ts';
import { logCommandFlags } from '../cli/log-flags.ts';
import { readLogFilter, readLogQuery, searchProgress } from '../cli/log-options.ts';
import { createLogTable } from '../cli/views/log.ts';
import type { UserEventsError } from '../errors/user-events-error.ts';

export default class Log extends BaseCommand<LogEntry> {
  static override summary = 'Print the event log by offset.';
  static override description =
    'Without -o: the newest 20 (or -n) by time; under --json everything from the start, as NDJSON that `publish --from-file -` ' +
    'takes back byte for byte. -o chooses records, filters pick from them, -n limits what is printed. -o -N is the newest N of ' +
    'the whole topic, with -p the last N offsets of each partition. Several partitions come by time, under --json and -f as they are read. ' +
    'On a terminal too narrow for event ids they are left out: `trace` takes the position as well.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -o @-1h --operation delete',
    '<%= config.bin %> <%= command.id %> --user u1 -o start',
    '<%= config.bin %> <%= command.id %> --json -f',
  ];
  static override flags = logCommandFlags;

  protected async execute(): Promise<undefined> {
    const { flags } = await this.parse(Log);
    const context = this.context(flags, flags.status === undefined ? 'log' : 'both');
    const query = readLogQuery({ ...flags, json: this.isJson }, context.now());
    const asked = readLogFilter({ ...flags, json: this.isJson });
    const db = context.config.database.engine === 'missing' ? null : await context.database();
    const progress = this.progress('Searching');
    const settings = {
      ...asked,
      db,
      types: context.config,
      now: () => context.now(),
      signal: this.signal,
      ...searchProgress(progress, asked.filter),
      onUnreadable: ({ code }: UserEventsError) => {
        // Before the first `init` there are no statuses to be missed.
        if (code !== 'NOT_INITIALISED')
          this.notice(`No statuses: this service's ledger cannot be read (${code}).`);
      },
    };
    const reader = await openLogReader(await context.log(query.follow ? 'long' : 'short'), settings);
    const ndjson = createNdjson(reader.envelope.topic);
    const table = createLogTable(this.style, flags.columns);
    let printed = 0;
    for await (const page of readLog(reader, query)) {
      progress.stop();
      printed += page.length;
      if (this.isJson || flags.raw) await writeBytes(process.stdout, flags.raw ? toRaw(page) : ndjson(page));
      else await this.printLine(table(toRows(page)));
    }
    progress.stop();
    if (printed === 0) this.notice('No such events.');
  }
}
