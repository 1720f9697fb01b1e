import { notRefused, outcomeOf } from '../../postgres/sql/outcome.ts';
import {
  endOfPortion,
  findSuspects,
  prepareFold,
  usersOfRange,
  type PortionEnd,
  type Suspects,
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
    for (let next = await take(client); next !== null; next = await take(client)) {
      order.signal.throwIfAborted();
      const portion = await suspectsOf(client, ledger, next);
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

/** A portion of the users; `isLong`: its last user alone has more rows than a portion has. */
interface Portion extends PortionEnd {
  readonly after: string | null;
}

/** Deals out portions of users, one after the other, to whichever connection asks next. Null: there are no more. */
function portions(schema: string): (client: PoolClient) => Promise<Portion | null> {
  let last: Promise<Portion | null> | undefined;
  const behind = async (client: PoolClient, after: string | null): Promise<Portion> => ({
    after,
    ...(await endOfPortion(client, schema, after, LEDGER_ROWS_AT_ONCE)),
  });
  return (client) => {
    last =
      last === undefined
        ? behind(client, null)
        : last.then((before) =>
            before === null || before.upTo === null ? null : behind(client, before.upTo),
          );
    return last;
  };
}

/** Where the ledger holds what the table cannot take, SQL clears nobody of the portion. */
async function suspectsOf(client: PoolClient, ledger: Ledger, portion: Portion): Promise<Suspects> {
  const { schema, mapper, rules, ours } = ledger;
  const long = portion.isLong ? portion.upTo : null;
  const outcome = await outcomeOf(ours, () =>
    savepoint(client, () => findSuspects(client, schema, mapper.table, rules, portion, long)),
  );
  if (outcome.kind === 'done') return outcome.value;
  if (outcome.kind === 'refused') return usersOfRange(client, schema, portion);
  throw notRefused(outcome);
}
