import { invalidSetting, originOf, readText, type SettingName, type SettingSources } from './settings.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** A name or address, IPv6 without brackets; null: every address of this machine. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
}

const MAX_PORT = 65_535;

/** Reads `9464`, `127.0.0.1:9464`, `[::1]:9464`. USAGE or CONFIG_INVALID where it is none of them. */
export function readListenAddress(name: SettingName, sources: SettingSources): ListenAddress | undefined {
  const text = readText(name, sources, 'or a number');
  const origin = originOf(name, sources);
  if (text === undefined || origin === null) return undefined;
  const match = /^(?:(?:\[(?<six>[\da-f:.]+)\]|(?<host>[^\s:[\]]+)):)?(?<port>\d{1,5})$/i.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > MAX_PORT) {
    throw invalidSetting(origin, 'must be a port (9464) or a host and port (127.0.0.1:9464, [::1]:9464)');
  }
  return { host: match.groups?.['six'] ?? match.groups?.['host'] ?? null, port };
}
