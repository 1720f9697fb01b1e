import type { InitResult } from '../../app/init.ts';
import { visible } from '../sanitize.ts';
import type { Style } from '../theme.ts';

/** What was set up, a line each, and what to do next; `flags`: what the next commands need to mean the same service. */
export function renderInit(result: InitResult, { theme }: Style, flags: string): string {
  const line = (what: string, detail: string): string =>
    `${theme.good('✓')} ${what} ${theme.dim(visible(detail))}`;
  const columns = result.columns.length === 0 ? 'none' : result.columns.join(', ');
  return [
    line(
      `Ledger ${visible(result.schema)}`,
      `in ${result.database}${result.migrations.length === 0 ? ', there already' : ''}`,
    ),
    line(
      `Table ${visible(result.table)}`,
      `${result.tableCreated ? 'made' : result.isChanged ? 'chosen instead, since nothing was consumed yet' : 'found'}; key ${result.keyColumn}; events carry ${columns}`,
    ),
    line(`Rules ${result.rules}:`, result.rules === 'strict' ? STRICT : LENIENT),
    line(
      `Topic ${visible(result.topic)}`,
      `on ${result.log}, ${result.topicCreated ? 'made' : 'there already'}, ${String(result.partitions)} partitions`,
    ),
    ...(result.deadLetterTopic === null
      ? []
      : [
          line(
            `Dead letters ${visible(result.deadLetterTopic)}`,
            result.deadLetterTopicCreated ? 'made' : 'there already',
          ),
        ]),
    '',
    `Next: ${theme.accent(visible(`user-events publish create u1 --name Ada${flags}`))} and ${theme.accent(visible(`user-events consume${flags}`))}`,
  ].join('\n');
}

const STRICT = 'a create of a user that exists fails, so does an update or delete of one that does not';
const LENIENT =
  'a create of a user that exists is a put, an update or delete of one that does not is passed over';
