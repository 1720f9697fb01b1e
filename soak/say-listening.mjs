/**
 * `node --import`: says on stderr when the process begins to listen to SIGTERM. Before that node itself is starting, no
 * line of ours has run, and the signal ends it as it ends any program.
 */
import { writeSync } from 'node:fs';

const STDERR = 2;

process.on('newListener', function say(name) {
  if (name !== 'SIGTERM') return;
  process.off('newListener', say);
  writeSync(STDERR, 'listening\n');
});
