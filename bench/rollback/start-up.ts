import { runCommand } from '../frame/command.ts';
import type { Stage } from '../frame/stage.ts';

/** What the CLI takes to start and end without a connection, ms: its help. */
export async function startUpMs(stage: Stage, env: Readonly<Record<string, string>>): Promise<number> {
  const startedMs = performance.now();
  await runCommand(stage, ['rollback', '--help'], env);
  return performance.now() - startedMs;
}
