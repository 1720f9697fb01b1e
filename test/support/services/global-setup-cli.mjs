import { buildIfStale } from '../../../scripts/build/build.mjs';
import startServices from './global-setup.mjs';

/** For tests that run the built CLI: builds when a source is newer than the build, and starts the servers. */
export default async function buildAndStartServices() {
  await buildIfStale();
  await startServices();
}
