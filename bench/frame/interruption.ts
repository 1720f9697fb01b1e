/** Aborted by the first signal that asks the process to end: servers of its own are stopped before it does. */
export function untilInterrupted(): AbortController {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!interrupted.signal.aborted) process.stderr.write('Interrupted: stopping the servers\n');
      interrupted.abort(new Error('interrupted'));
    });
  }
  return interrupted;
}
