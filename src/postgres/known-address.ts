// Without the driver, like sql-text.ts.

const addresses = new WeakMap<object, () => string>();

/** Keeps where a pool or a client of it connects to: `host:port/database`, worked out when it is asked for. */
export function keepAddress(connection: object, address: () => string): void {
  addresses.set(connection, address);
}

/** Where a pool of ours, or a client of it, connects to; null for any other. */
export function knownAddress(connection: object): string | null {
  return addresses.get(connection)?.() ?? null;
}
