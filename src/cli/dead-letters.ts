import { listLetters, type DeadLetterEntry } from '../app/dead-letters/list-letters.ts';
import { putBack, type PutBackResult } from '../app/dead-letters/put-back.ts';
import type { Context } from './context.ts';
import { letterFilter, refuseLedgerFlags } from './dead-letter-flags.ts';
import { confirmAction } from './guard.ts';
import type { Progress } from './progress.ts';
import type { Prompts } from './prompts.ts';

/** How often a record may be put back without --max-attempts: a cause that is mended needs one. */
const MAX_PUT_BACKS = 3;

interface LetterFlags {
  readonly exception?: string | undefined;
  readonly user?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** The flags of `failures --dead-letter`, as parsed; the newest `limit`, null: all. */
export interface LetterListFlags extends LetterFlags, Readonly<Record<string, unknown>> {
  readonly limit: number | null;
}

/** `failures --dead-letter`: hands dead letters on by pages; returns how many there are. USAGE, TOPIC_NOT_FOUND. */
export async function listLettersFor(
  context: Context,
  topic: string,
  flags: LetterListFlags,
  onPage: (entries: readonly DeadLetterEntry[]) => Promise<void>,
): Promise<number> {
  refuseLedgerFlags(flags);
  const { config, signal } = context;
  const database = config.database.engine === 'missing' ? null : await context.database();
  const filter = letterFilter(flags, context.now());
  return listLetters(await context.log('short', topic), database, {
    filter,
    limit: flags.limit,
    types: config,
    signal,
    onPage,
  });
}

/** The flags of `retry --dead-letter`, as parsed. */
export interface PutBackFlags extends LetterFlags, Readonly<Record<string, unknown>> {
  readonly 'max-attempts'?: number | undefined;
  readonly 'dry-run': boolean;
  readonly reason?: string | undefined;
  readonly yes: boolean;
  readonly profile?: string | undefined;
}

interface PutBackTalk {
  readonly prompts: Prompts;
  readonly progress: Progress;
  /** Shows the plan beside the question. */
  readonly show: (plan: PutBackResult) => void;
}

/** `retry --dead-letter`: puts records back into their topic. Asks first, in production for the profile's name. */
export async function putBackFor(
  context: Context,
  topic: string,
  flags: PutBackFlags,
  { prompts, progress, show }: PutBackTalk,
): Promise<PutBackResult> {
  const { config, signal } = context;
  const { yes } = flags;
  const [log, letters, database] = [
    await context.log(),
    await context.log('short', topic),
    await context.database(),
  ];
  try {
    return await putBack(log, letters, database, {
      filter: letterFilter(flags, context.now()),
      maxPutBacks: flags['max-attempts'] ?? MAX_PUT_BACKS,
      isDryRun: flags['dry-run'],
      types: config,
      operator: config.operator,
      reason: flags.reason ?? null,
      signal,
      confirm: async (plan) => {
        if (!yes) show(plan);
        const question = `Put ${String(plan.putBack)} records back into ${plan.topic}?`;
        await confirmAction(prompts, config, flags, question);
      },
      onProgress: (done, total) => {
        progress.update(done, total);
      },
    });
  } finally {
    progress.stop();
  }
}

/** One of the letters was refused: 7 beside others, 6 where nothing else was. */
export function exitOfPutBack({ refused, putBack: done }: PutBackResult): 0 | 6 | 7 {
  if (refused.length === 0) return 0;
  return done === 0 ? 6 : 7;
}
