import { Args } from '@oclif/core';
import { traceEvent } from '../app/trace.ts';
import type { EventTrace } from '../app/trace/event-trace.ts';
import type { TraceMatrix } from '../app/services/trace-matrix.ts';
import { traceUser, type UserTimeline } from '../app/trace/user-timeline.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { severalProfiles, withOneProfile } from '../cli/services.ts';
import { DEFAULT_EVENTS, requireOneSubject, traceFlags } from '../cli/trace-flags.ts';
import { aheadOfUser, exitOfMatrix, matrixFor, traceRequest } from '../cli/trace-request.ts';
import { renderMatrix } from '../cli/views/services/matrix.ts';
import { renderTrace } from '../cli/views/trace.ts';
import { renderTimeline } from '../cli/views/trace/timeline.ts';

/** An `EventTrace`, with `--user` a `UserTimeline`, of several profiles a `TraceMatrix`. */
export default class Trace extends BaseCommand<EventTrace | UserTimeline | TraceMatrix> {
  static override summary =
    "Tell one event's whole story: what it was, what became of it, why, and what to do.";
  static override description =
    "From this service's ledger, and from the log who published it. What this service has not read yet is searched for in the log. " +
    'Several profiles: a table of who has executed what.';
  static override examples = [
    '<%= config.bin %> trace 0190a3c4-7e1b-7c3d-8e4f-5a6b7c8d9e0f',
    "<%= config.bin %> trace 'user-events[2]@41'",
    '<%= config.bin %> trace --user u1',
    '<%= config.bin %> trace 0190a3c4-7e1b-7c3d-8e4f-5a6b7c8d9e0f --profile orders --profile billing',
  ];
  static override args = {
    event: Args.string({
      description: 'Its UUID, the id of its producer, or its place: TOPIC[P]@OFFSET or P@OFFSET.',
    }),
  };
  static override flags = traceFlags;

  protected async execute(): Promise<EventTrace | UserTimeline | TraceMatrix> {
    const { args, flags: parsed } = await this.parse(Trace);
    const { event: id } = args;
    const flags = withOneProfile(parsed);
    const { user, limit = DEFAULT_EVENTS } = flags;
    requireOneSubject(id, user);
    const progress = this.progress('Searching the log');
    const stop = (): void => {
      progress.stop();
    };
    const several = severalProfiles(parsed);
    if (several !== null) {
      const asked = { id, user, limit, isSearched: flags.scan, signal: this.signal };
      const open = (name: string) => this.context(flags, 'database', name);
      const matrix = await matrixFor(several, open, asked, progress);
      return this.report(matrix, (_, style) => renderMatrix(matrix, style), exitOfMatrix(matrix));
    }
    const context = this.context(flags, 'database');
    if (id === undefined) {
      const timeline = await traceUser(await context.database(), user ?? '', limit, aheadOfUser(context));
      return this.report(timeline, (_, style) => renderTimeline(timeline, style));
    }
    const request = traceRequest(id, context, flags, progress);
    const trace = await traceEvent(await context.database(), request).finally(stop);
    return this.report(trace, (_, style) => renderTrace(trace, style, context.now()));
  }
}
