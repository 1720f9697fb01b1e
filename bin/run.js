#!/usr/bin/env node
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { keepEarlySignals } from '../dist/cli/early-signals.js';

keepEarlySignals();

// Node 22.1 and newer keep compiled code between runs; older ones do not know it.
module.enableCompileCache?.();

// Help and version are printed before a command takes care of its own stdout: a reader that has gone is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const argv = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const { takeShortCut } = await import('../dist/cli/short-cut.js');
if (!(await takeShortCut(argv, root))) {
  const { main } = await import('../dist/cli/main.js');
  await main(argv, root);
}
