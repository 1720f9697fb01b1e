/** One place where the table, or the ledger itself, is not what the log makes of it. */
export type Difference =
  /** The row has another value than the fold. Values as PostgreSQL prints them, null = NULL. */
  | {
      readonly kind: 'field';
      readonly userId: string;
      readonly column: string;
      readonly ledger: string | null;
      readonly row: string | null;
    }
  /** The fold has the user, the table does not. */
  | { readonly kind: 'row missing'; readonly userId: string }
  /** The table has a user whom the fold has deleted, or never made. */
  | { readonly kind: 'row unexpected'; readonly userId: string }
  /** With --exact: a row of which the log knows nothing. */
  | { readonly kind: 'row unknown'; readonly userId: string }
  /** The ledger contradicts itself, or (--from-log) the log. */
  | {
      readonly kind: 'ledger';
      readonly userId: string | null;
      readonly eventId: string | null;
      readonly problem: LedgerProblem;
      /** `rebuild --from-log` puts the log's value into the ledger. */
      readonly isMendable: boolean;
    };

export type LedgerProblem =
  | 'not what stands'
  | 'overtaken'
  | 'parked for nothing'
  | 'failed without a reason'
  | 'skipped by nobody'
  | 'data does not fit'
  | 'data is gone'
  | 'not in the log'
  | 'not in the ledger'
  | 'another record'
  | 'another value';

/** Names so many differences, and counts all. */
export class DifferenceList {
  readonly named: Difference[] = [];
  count = 0;
  /** Those that setting rows does not mend. */
  ledgerProblems = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(difference: Difference): void {
    this.count++;
    if (difference.kind === 'ledger' && !difference.isMendable) this.ledgerProblems++;
    if (this.named.length < this.#limit) this.named.push(difference);
  }
}
