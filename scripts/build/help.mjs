// The help of every command and topic, and of all, as oclif prints it where there is no terminal, to dist/help/ of the package
// whose folder is the argument: what src/cli/short-cut.ts answers with. A process of its own, since it wants colours (which are
// taken out where they are not wanted) and oclif decides on them when it is loaded.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Config, Help } from '@oclif/core';

/** Keeps what it would print. */
class KeptHelp extends Help {
  text = '';
  /** @override @param {string[]} parts */
  log(...parts) {
    this.text += `${parts.join(' ')}\n`;
  }
}

/** @param {string} root the package's folder, with its manifest */
async function writeHelp(root) {
  /** @type {typeof import('../../src/cli/short-cut.ts')} */
  const shortCut = await import(pathToFileURL(path.join(root, 'dist/cli/short-cut.js')).href);
  const { helpFile, HELP_FOLDER, MACHINE_MARK, VERSION_FILE } = shortCut;
  const folder = path.join(root, HELP_FOLDER);
  await mkdir(folder, { recursive: true });
  const { commandIDs, topics, name, version } = await Config.load(root);
  const userAgent = `${name}/${version} ${MACHINE_MARK}`;
  await writeFile(path.join(folder, VERSION_FILE), `${userAgent}\n`);
  const ids = [...commandIDs, ...topics.map((topic) => topic.name)];
  for (const words of [[], ...ids.map((id) => id.split(':'))]) {
    // Anew each time: showing a command's help changes what oclif believes of its topic.
    const config = await Config.load(root);
    config.userAgent = userAgent;
    const help = new KeptHelp(config, config.pjson.oclif.helpOptions);
    await help.showHelp([...words, '--help']);
    await writeFile(path.join(folder, helpFile(words)), help.text);
  }
}

await writeHelp(process.argv[2] ?? '.');
