import { STOP } from './global-setup.mjs';

/** Stops the servers that global-setup.mjs started and waits until they are gone. */
export default async function stopServices() {
  const stop = /** @type {unknown} */ (Reflect.get(globalThis, STOP));
  if (typeof stop === 'function') await stop();
}
