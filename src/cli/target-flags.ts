import { Flags } from '@oclif/core';
import type { ChosenEvents } from '../app/failures/choose.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { failureFlags, failuresWanted, isFiltered, type FailureFlagValues } from './failure-filter.ts';
import { readEventIds } from './event-ids.ts';

/** Which events, for commands that are about many: beside ids, a file of them, or failed events by what they are like. */
export function targetFlags(verb: string) {
  return {
    'all-failed': Flags.boolean({ summary: `${verb} every failed event of this service.` }),
    'from-file': Flags.string({
      summary: 'File with event ids, one a line, or what `failures --json` prints; - is stdin.',
      helpValue: 'FILE',
    }),
    ...failureFlags,
  };
}

interface TargetFlagValues extends FailureFlagValues {
  readonly 'all-failed': boolean;
  readonly 'from-file'?: string | undefined;
}

/**
 * The events that a command line is about: those named (by ids and a file), or failed ones (by filters, or all). Null
 * where it says nothing of them; an empty file is an empty list. USAGE where both are given, naming a line that is no id.
 */
export async function chosenEvents(
  ids: readonly string[],
  flags: TargetFlagValues,
  nowMs: number,
): Promise<ChosenEvents | null> {
  const file = flags['from-file'];
  const wanted = failuresWanted(flags);
  const areNamed = ids.length > 0 || file !== undefined;
  if (!isFiltered(wanted) && !flags['all-failed']) return areNamed ? readEventIds(ids, file) : null;
  if (!areNamed) return { wanted, nowMs };
  throw new UserEventsError('USAGE', 'Events are named, and chosen by what they are like as well', {
    hint: 'Keep the ids and the file, or --all-failed and the filters.',
  });
}
