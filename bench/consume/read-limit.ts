import path from 'node:path';
import { startNode, type CommandOptions } from '../frame/command.ts';
import type { Stage } from '../frame/stage.ts';
import type { BenchService } from './service.ts';

const SCRIPT = path.join(import.meta.dirname, 'read-limit-process.ts');

/** What the process says: records, and ms from the assignment to the last of them. */
export interface ReadLimit {
  readonly records: number;
  readonly elapsedMs: number;
}

/**
 * Reads the whole topic as a member of a group, as the consumer does, and drops what it gets, in a process of its own:
 * records a second from the assignment to the last one. The log's limit, without events, fold or database.
 */
export async function readLimit(
  stage: Stage,
  { env }: BenchService,
  options: CommandOptions = {},
): Promise<number> {
  const { stdout } = await startNode(stage, ['--import', 'tsx', SCRIPT], env, options).ended;
  const { records, elapsedMs } = JSON.parse(stdout) as ReadLimit;
  return (records / elapsedMs) * 1000;
}
