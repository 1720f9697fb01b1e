import type { Difference, LedgerProblem } from '../../app/verify/difference.ts';
import type { Repaired } from '../../app/verify/repair.ts';
import type { VerifyResult } from '../../app/verify.ts';
import { visible } from '../sanitize.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import type { Style, View } from '../theme.ts';

export interface VerifyReport extends VerifyResult {
  /** What was set; null where nothing was, since nothing differs or it was not asked for. */
  readonly repaired: Repaired | null;
}

const PROBLEMS: Readonly<Record<LedgerProblem, string>> = {
  'not what stands': 'its status is not what the rollbacks leave standing',
  overtaken: 'it is applied behind a failed or parked event of its user',
  'parked for nothing': 'it is parked, and no failed event holds it back',
  'failed without a reason': 'it is failed, and no error is recorded',
  'skipped by nobody': 'it is skipped, and nobody is recorded to have skipped it',
  'data does not fit': 'what it carries cannot be put into the table',
  'data is gone': 'what an applied event carried is not in the ledger, and it was not pruned',
  'not in the log': 'the log has no such record at its offset',
  'not in the ledger': 'the ledger has no row for this record of the log',
  'another record': 'the log has another record at its offset',
  'another value': 'the log has another value or user for it',
};

const count = (value: number | bigint): string => value.toLocaleString('en-US');
const counted = (value: number, what: string): string => `${count(value)} ${what}${value === 1 ? '' : 's'}`;

/** 6 where something differs that was not set, or cannot be told. Of what the ledger says wrongly, rows are not the cure. */
export function exitOfVerify({ differenceCount, untold, ledgerProblems, repaired }: VerifyReport): 0 | 6 {
  if (untold > 0) return 6;
  if (differenceCount === 0) return 0;
  return repaired === null || repaired.refused.length > 0 || ledgerProblems > 0 ? 6 : 0;
}

/** What was compared, what differs by user and field, the digest, and what was set. */
export const renderVerify: View<VerifyReport> = (report, style) => {
  const parts = [renderSummary(report, style)];
  if (report.differences.length > 0) parts.push(renderDifferences(report, style));
  if (report.digest !== null) {
    const rows = report.digest.partitions.map(({ partition, users, digest }): Cell[] => [
      String(partition),
      count(users),
      digest,
    ]);
    const titles = [
      { title: 'PARTITION', align: 'right' as const },
      { title: 'USERS', align: 'right' as const },
      { title: `DIGEST OF ${report.digest.columns.join(', ')}` },
    ];
    parts.push(renderTable(titles, rows, style));
  }
  if (report.repaired !== null) parts.push(renderRepaired(report.repaired, style));
  return parts.join('\n\n');
};

function renderSummary(report: VerifyReport, style: Style): string {
  const { theme } = style;
  const verdict =
    report.differenceCount === 0 && report.untold === 0
      ? { text: `${report.table} is what the log makes of it`, paint: theme.good }
      : { text: verdictText(report), paint: theme.bad };
  const fields: [string, Cell][] = [
    ['verdict', verdict],
    ['folded', `${counted(report.events, 'event')} of ${counted(report.users, 'user')}`],
    ['table', `${report.table}, ${counted(report.rows, 'row')}${unknownText(report)}`],
    [
      'up to',
      report.positions.map(({ partition, position }) => `${String(partition)}@${String(position)}`).join(' '),
    ],
  ];
  if (report.log !== null) {
    const gone =
      report.log.deletedOffsets > 0n ? `, ${count(report.log.deletedOffsets)} offsets are deleted there` : '';
    fields.push(['log', `${counted(report.log.records, 'record')} compared${gone}`]);
  }
  if (report.untold > 0)
    fields.push(['not told', `${counted(report.untold, 'user')}: what their fold needs was pruned`]);
  if (report.failed > 0) {
    const text = `${counted(report.failed, 'event')}, holding back ${count(report.parked)}: not part of the fold`;
    fields.push(['failed', { text, paint: theme.warn }]);
  }
  return renderFields(fields, style);
}

function verdictText({ differenceCount, untold }: VerifyReport): string {
  return differenceCount > 0
    ? counted(differenceCount, 'difference')
    : `not proven for ${counted(untold, 'user')}`;
}

function unknownText({ unknownRows }: VerifyReport): string {
  return unknownRows === 0 ? '' : `, of ${count(unknownRows)} of which the log knows nothing`;
}

function renderDifferences({ differences, differenceCount }: VerifyReport, style: Style): string {
  const { theme } = style;
  const rows = differences.map((difference): Cell[] => {
    const [what, ledger, row] = wordsOf(difference);
    return [
      difference.userId ?? '',
      what,
      { text: ledger, paint: theme.good },
      { text: row, paint: theme.bad },
    ];
  });
  const titles = ['USER', 'FIELD', 'THE LOG SAYS', 'THE TABLE HAS'].map((title) => ({ title }));
  const more = differenceCount - differences.length;
  const rest =
    more > 0
      ? `\n${theme.dim(`… and ${count(more)} more (\`verify -n ${String(differenceCount)}\` names them)`)}`
      : '';
  return renderTable(titles, rows, style) + rest;
}

function wordsOf(difference: Difference): readonly [what: string, ledger: string, row: string] {
  switch (difference.kind) {
    case 'field':
      return [difference.column, difference.ledger ?? 'NULL', difference.row ?? 'NULL'];
    case 'row missing':
      return ['(row)', 'the user', 'nothing'];
    case 'row unexpected':
      return ['(row)', 'nothing', 'a row'];
    case 'row unknown':
      return ['(row)', 'nothing, ever', 'a row'];
    case 'ledger':
      return ['(ledger)', `${difference.eventId ?? ''} ${PROBLEMS[difference.problem]}`, ''];
  }
}

/** What was set, alone. */
export const renderSetRows: View<VerifyReport> = ({ repaired }, style) =>
  repaired === null ? '' : renderRepaired(repaired, style);

function renderRepaired(
  { inserted, updated, deleted, corrected, refused }: Repaired,
  { theme }: Style,
): string {
  const ledger = corrected === 0 ? '' : `; ${counted(corrected, 'value')} of the ledger`;
  const done = `${count(inserted)} inserted, ${count(updated)} updated, ${count(deleted)} deleted${ledger}`;
  const lines = refused.map(
    ({ userId, error }) =>
      `${theme.bad('✗')} user ${visible(userId)}: the table refuses it (${error.code}) ${visible(error.message)}`,
  );
  return [`${theme.good('✓')} Rows set: ${done}`, ...lines].join('\n');
}
