import { rename, writeFile } from 'node:fs/promises';
import { Plugin } from '@oclif/core';

/**
 * The commands as @oclif/core sees them in dist/: what `oclif manifest` writes, without the `oclif` package.
 * With the manifest, a start loads one command's module instead of all of them.
 * @param {string} root the package's folder
 * @returns {Promise<import('@oclif/core').Interfaces.Manifest>}
 */
export async function readManifest(root) {
  const plugin = new Plugin({
    root,
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  return plugin.manifest;
}

/** Writes oclif.manifest.json in one rename. @param {string} root @param {string} file */
export async function writeManifest(root, file) {
  const manifest = await readManifest(root);
  const staging = `${file}.${process.pid}`;
  await writeFile(staging, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(staging, file);
}
