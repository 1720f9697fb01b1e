import type { ServiceStatus } from '../../app/status.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import type { View } from '../theme.ts';

const count = (value: number | bigint): string => value.toLocaleString('en-US');

/** A summary, then a row a partition, as rpk lays it out. */
export const renderStatus: View<ServiceStatus> = (status, style) => {
  const { theme } = style;
  const age = status.lagSeconds === null ? '' : `, the oldest ${count(status.lagSeconds)} s`;
  const open =
    status.failed > 0 ? { text: openText(status), paint: theme.bad } : { text: 'none', paint: theme.good };
  const summary = renderFields(
    [
      ['topic', `${status.topic} on ${status.log}`],
      ['service', `${status.database}, schema ${status.schema}`],
      ['group', status.group],
      ['lag', { text: `${count(status.lag)}${age}`, paint: status.lag === 0n ? theme.good : theme.warn }],
      ['failed', open],
    ],
    style,
  );
  const rows = status.partitions.map((each): Cell[] => [
    String(each.partition),
    String(each.low),
    String(each.high),
    each.position === null ? 'never' : String(each.position),
    count(each.lag),
    each.lagSeconds === null ? '' : `${count(each.lagSeconds)} s`,
    count(each.failed),
    count(each.parked),
  ]);
  const titles = ['PARTITION', 'LOW', 'HIGH', 'POSITION', 'LAG', 'AGE', 'FAILED', 'PARKED'];
  const table = renderTable(
    titles.map((title) => ({ title, align: 'right' as const })),
    rows,
    style,
  );
  return `${summary}\n\n${table}`;
};

function openText({ failed, parked }: ServiceStatus): string {
  return parked > 0 ? `${count(failed)}, holding back ${count(parked)}` : count(failed);
}
