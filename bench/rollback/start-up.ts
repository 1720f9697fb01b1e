import { runCommand } from '../frame/command.ts';
import type { Stage } from '../frame/stage.ts';

/** What the CLI takes to start and end without a connection, ms: its help. */
export function startUpMs(stage: Stage, env: Readonly<Record<string, string>>): Promise<number> {
  return elapsedMs(stage, ['rollback', '--help'], env);
}

/**
 * What a bulk takes to start, to connect to the database and to find nothing to do, ms. The rate of `consume` beside it
 * is counted from the assignment, with its own start left out likewise.
 */
export function idleBulkMs(stage: Stage, env: Readonly<Record<string, string>>): Promise<number> {
  return elapsedMs(stage, ['rollback', '--all-failed', '--user', 'nobody', '--only', '--yes'], env);
}

async function elapsedMs(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const startedMs = performance.now();
  await runCommand(stage, args, env);
  return performance.now() - startedMs;
}
