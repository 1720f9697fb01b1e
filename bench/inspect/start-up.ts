import type { BenchArguments } from '../frame/arguments.ts';
import type { Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import { besideNode } from './beside-node.ts';

/** Times `node -e 0`. */
const BAR = 3;

/** What needs no server: the version, the help of all and of one command. */
export function measureStartUp(stage: Stage, { runs }: BenchArguments): Promise<readonly Figure[]> {
  return besideNode(stage, 'start-up', [['--version'], ['--help'], ['log', '--help']], { runs, bar: BAR });
}
