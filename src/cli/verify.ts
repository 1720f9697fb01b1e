import { openLedger, type Ledger } from '../app/consume/open-group.ts';
import { requireBoundTopic } from '../app/bound-topic.ts';
import { envelopeContext } from '../app/envelope-context.ts';
import { verify, type Findings, type VerifyRequest, type VerifyResult } from '../app/verify.ts';
import type { LogSide } from '../app/verify/compare-log.ts';
import { repair, type Repaired } from '../app/verify/repair.ts';
import type { Database } from '../postgres/transaction.ts';
import type { Context } from './context.ts';
import type { Progress } from './progress.ts';
import { confirmAction } from './guard.ts';
import type { Prompts } from './prompts.ts';
import type { View } from './theme.ts';
import { renderSetRows, renderVerify, type VerifyReport } from './views/verify.ts';

export interface VerifyInput extends Pick<VerifyRequest, 'isExact' | 'limit' | 'digestColumns'> {
  readonly context: Context;
  readonly isFromLog: boolean;
  readonly progress: Progress;
}

export interface Verified {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly result: VerifyResult;
  readonly findings: Findings;
}

/** What `verify` and `rebuild` share: the fold compared with the table. BINDING_MISMATCH for another topic's log. */
export async function verifyFor(input: VerifyInput): Promise<Verified> {
  const { context, progress } = input;
  const database = await context.database();
  const ledger = await openLedger(database);
  const logSide = input.isFromLog ? await openLogSide(context, database, ledger) : null;
  try {
    const verified = await verify(database, ledger, {
      ...input,
      logSide,
      signal: context.signal,
      onProgress: (done, total, note) => {
        progress.update(done, Math.max(done, total), note);
      },
    });
    return { database, ledger, ...verified };
  } finally {
    progress.stop();
  }
}

async function openLogSide(context: Context, database: Database, ledger: Ledger): Promise<LogSide> {
  const log = await context.log();
  const description = await log.describe();
  await requireBoundTopic(database, description.topic);
  return { log, envelope: envelopeContext(description, ledger.mapper.table.keyType, context.config) };
}

function counted(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}

export interface RepairInput extends Verified {
  readonly context: Context;
  readonly command: 'verify --fix' | 'rebuild';
  readonly reason: string | undefined;
  readonly yes: boolean;
  /** `--profile`, as it was typed. */
  readonly profile: string | undefined;
  readonly prompts: Prompts;
  readonly progress: Progress;
}

/** Asks, then sets the rows (and what the ledger has otherwise than the log) that differ. Null: none does. DECLINED, NO_TERMINAL where it is not confirmed. */
async function repairFor(input: RepairInput): Promise<Repaired | null> {
  const { context, database, ledger, findings, command } = input;
  const { wrong, unknown, corrections } = findings;
  const rows = wrong.length + unknown.length;
  if (rows === 0 && corrections.size === 0) return null;
  const { operator } = context.config;
  const values = corrections.size === 0 ? '' : ` and ${counted(corrections.size, 'value')} of the ledger`;
  const question = `Set ${counted(rows, 'row')} of ${input.result.table}${values}?`;
  await confirmAction(input.prompts, context.config, input, question);
  try {
    return await repair(database, ledger, {
      userIds: wrong,
      unknown,
      corrections,
      operator,
      reason: input.reason ?? command,
      onProgress: (done, total) => {
        input.progress.update(done, total);
      },
    });
  } finally {
    input.progress.stop();
  }
}

/** Repairs, and says what is to be shown of it: what differs was shown when it was asked. */
export async function repairAndTell(
  input: RepairInput,
): Promise<{ readonly report: VerifyReport; readonly view: View<VerifyReport> }> {
  const repaired = await repairFor(input);
  const view = input.yes || repaired === null ? renderVerify : renderSetRows;
  return { report: { ...input.result, repaired }, view };
}
