import { homedir } from 'node:os';
import { resolveConfig, type Config } from './config.ts';
import { describeMachine } from './machine.ts';
import { readConfigFile, selectProfile, unchosenProfile } from './profiles.ts';
import type { Environment } from './settings.ts';

export interface ConfigRequest {
  /** A command's flags as parsed. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** One of several profiles that a command reads: its settings go before the environment's. */
  readonly profile?: string;
  /** The log or the database is used: profiles in the file of which none is chosen are then CONFIG_INVALID. */
  readonly usesServices: boolean;
}

/**
 * Decides all settings, from the flags, the environment, the config file and the machine; `warnings` has what is to be
 * said of the file, too. Connects to nothing. Throws CONFIG_INVALID, and USAGE where a flag is at fault.
 */
export function loadConfig({ flags, env, profile, usesServices }: ConfigRequest): Config {
  const file = readConfigFile(env, process.cwd(), homedir());
  const selected = selectProfile(file, profile ?? namedProfile(flags, env));
  const sources = { flags, env, profile: selected, isProfileFirst: profile !== undefined };
  const config = resolveConfig(sources, describeMachine(env));
  // Nothing configured but profiles, and none of them chosen: the embedded engine is not what was meant.
  const isNothingSaid = selected === null && config.log.engine === 'embedded';
  if (usesServices && isNothingSaid && file !== null && file.profiles.size > 0) throw unchosenProfile(file);
  return { ...config, warnings: [...(file?.warnings ?? []), ...config.warnings] };
}

/** `--profile` over USER_EVENTS_PROFILE. */
function namedProfile(flags: ConfigRequest['flags'], env: Environment): string | undefined {
  const flag = flags['profile'];
  return typeof flag === 'string' ? flag : env['USER_EVENTS_PROFILE'] || undefined;
}
