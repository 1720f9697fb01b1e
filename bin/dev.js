#!/usr/bin/env node
// The CLI from src/, through tsx: no build, always what is on disk. For development; bin/run.js is what ships.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register();

const pjson = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
// src/ as the package's folder: there is no manifest in it, so oclif reads the commands themselves.
const root = fileURLToPath(new URL('../src', import.meta.url));
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2), {
  root,
  pjson: { ...pjson, oclif: { ...pjson.oclif, commands: './commands' } },
});
