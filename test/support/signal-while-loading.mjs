/**
 * `node --import`: sends this process the signal of TEST_EARLY_SIGNAL while the module that TEST_EARLY_MODULE ends with
 * is being loaded, which is before any code of it runs.
 */
import { register } from 'node:module';

const hook = `
  export function load(url, context, next) {
    const { TEST_EARLY_MODULE, TEST_EARLY_SIGNAL } = process.env;
    if (url.endsWith(TEST_EARLY_MODULE)) process.kill(process.pid, TEST_EARLY_SIGNAL);
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
