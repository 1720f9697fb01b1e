// Stops what test runs left behind that were killed together with their keeper. Exit 1 if there was anything.
import { register } from 'tsx/esm/api';

register();
const { stopLeftovers } = await import('../test/support/services/leftovers.ts');
const found = await stopLeftovers();
for (const leftover of found) process.stderr.write(`Left running and stopped now: ${leftover}\n`);
process.exitCode = found.length === 0 ? 0 : 1;
