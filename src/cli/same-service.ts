/** Flags that say which service a command means. What the environment says, it says to the next command as well. */
const FLAGS = ['profile', 'schema', 'brokers', 'topic'] as const;

/** Those of a command that has them. */
export type ServiceFlags = { readonly [F in (typeof FLAGS)[number]]?: string | undefined };

/** The flags of this run that the next command needs to mean the same service, as they are typed: ` --schema x`. */
export function sameServiceFlags(flags: {
  readonly [F in (typeof FLAGS)[number]]?: string | undefined;
}): string {
  return FLAGS.flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [` --${name} ${shellWord(value)}`];
  }).join('');
}

/** The same for a command that touches the ledger alone: it has no --topic and no --brokers. */
export function sameLedgerFlags({ profile, schema }: ServiceFlags): string {
  return sameServiceFlags({ profile, schema });
}

/** A word as a POSIX shell takes it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
