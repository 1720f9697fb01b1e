import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyFolder } from './cli.ts';

/** Writes a config file with these profiles, for USER_EVENTS_CONFIG; its path. */
export async function configFile(profiles: Readonly<Record<string, object>>): Promise<string> {
  const file = join(await emptyFolder(), 'config.json');
  await writeFile(file, JSON.stringify({ profiles }), { mode: 0o600 });
  return file;
}
