import { notRefused, outcomeOf } from '../../postgres/sql/outcome.ts';
import {
  endOfPortion,
  findSuspects,
  prepareFold,
  usersOfRange,
  type Suspects,
  type UserRange,
} from '../../postgres/sql/find-suspects.ts';
import { savepoint, type PoolClient } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import type { Difference } from './difference.ts';
import { examineUsers, type Corrections } from './examine.ts';

export interface FoldOrder {
  readonly corrections: Corrections;
  /** Users who are folded by the domain whatever SQL says: the log has their events otherwise. */
  readonly always: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly onDifference: (difference: Difference) => void;
  readonly onProgress: (events: number) => void;
}

export interface FoldedUsers {
  readonly users: number;
  readonly events: number;
  readonly untold: number;
  /** Users whose rows are not the fold's. */
  readonly wrong: readonly string[];
}

/** Rows of the ledger folded by one statement: some ms, so that progress moves and Ctrl-C is quick. */
const LEDGER_ROWS_AT_ONCE = 20_000;

/**
 * Folds all users, portion by portion, on connections that see one snapshot: SQL clears the bulk, the domain's fold looks
 * at the rest.
 */
export async function foldUsers(
  clients: readonly [PoolClient, ...PoolClient[]],
  ledger: Ledger,
  order: FoldOrder,
): Promise<FoldedUsers> {
  const totals = { users: 0, events: 0, untold: 0, wrong: new Array<string>() };
  const take = portions(ledger.schema);
  const examine = async (client: PoolClient, userIds: readonly string[]): Promise<void> => {
    const examined = await examineUsers(client, ledger, userIds, order.corrections);
    for (const difference of examined.differences) order.onDifference(difference);
    for (const { userId } of examined.wrong) totals.wrong.push(userId);
    totals.untold += examined.untold;
  };
  const work = async (client: PoolClient): Promise<void> => {
    await prepareFold(client);
    for (let range = await take(client); range !== null; range = await take(client)) {
      order.signal.throwIfAborted();
      const portion = await suspectsOf(client, ledger, range);
      totals.users += portion.users;
      totals.events += portion.events;
      for (const userId of portion.gone)
        order.onDifference({
          kind: 'ledger',
          userId,
          eventId: null,
          problem: 'data is gone',
          isMendable: false,
        });
      await examine(
        client,
        portion.suspects.filter((userId) => !order.always.has(userId)),
      );
      order.onProgress(totals.events);
    }
  };
  await Promise.all(clients.map(work));
  await examine(clients[0], [...order.always]);
  return totals;
}

/** Deals out ranges of users, one after the other, to whichever connection asks next. Null: there are no more. */
function portions(schema: string): (client: PoolClient) => Promise<UserRange | null> {
  let last: Promise<UserRange | null> = Promise.resolve({ after: null, upTo: null });
  let isFirst = true;
  return (client) => {
    const isStart = isFirst;
    isFirst = false;
    last = last.then(async (before) => {
      if (before === null || (!isStart && before.upTo === null)) return null;
      const after = before.upTo;
      return { after, upTo: await endOfPortion(client, schema, after, LEDGER_ROWS_AT_ONCE) };
    });
    return last;
  };
}

/** Where the ledger holds what the table cannot take, SQL clears nobody of the portion. */
async function suspectsOf(client: PoolClient, ledger: Ledger, range: UserRange): Promise<Suspects> {
  const { schema, mapper, rules, ours } = ledger;
  const outcome = await outcomeOf(ours, () =>
    savepoint(client, () => findSuspects(client, schema, mapper.table, rules, range)),
  );
  if (outcome.kind === 'done') return outcome.value;
  if (outcome.kind === 'refused') return usersOfRange(client, schema, range);
  throw notRefused(outcome);
}
