import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { openLiveScreen } from '../../../src/cli/live-screen.ts';

/** A terminal of three lines: what was written to it, and its mode. */
function terminal(env: Record<string, string> = {}) {
  const written: string[] = [];
  const modes: boolean[] = [];
  const killed: unknown[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 3 });
  stdout.on('data', (bytes: Buffer) => written.push(bytes.toString()));
  const kill = (...signal: unknown[]): void => void killed.push(...signal);
  return { process: { stdin, stdout, env, pid: 7, kill }, written, modes, killed };
}

test('a screen is drawn in place, no higher than the terminal, and given back with the text drawn last', () => {
  const { process, written, modes } = terminal();
  const screen = openLiveScreen(process, new AbortController().signal);
  screen?.draw(() => 'one\ntwo\nthree\nfour');
  screen?.draw(() => '1\n2');
  screen?.close();
  screen?.close();
  screen?.draw(() => 'too late');
  expect(written).toEqual([
    '\u001b[?1049h\u001b[?25l',
    '\u001b[Hone\u001b[K\ntwo\u001b[K\n… 2 more lines\u001b[K\u001b[J',
    '\u001b[H1\u001b[K\n2\u001b[K\u001b[J',
    '\u001b[?25h\u001b[?1049l1\n2\n',
  ]);
  expect(modes).toEqual([true, false]);
});

test('a screen is drawn anew, for its new size, when that changes', () => {
  const { process, written } = terminal();
  const screen = openLiveScreen(process, new AbortController().signal);
  screen?.draw(() => `${String(process.stdout.rows)} rows\n2\n3\n4`);
  process.stdout.rows = 4;
  process.stdout.emit('resize');
  screen?.close();
  process.stdout.emit('resize');
  expect(written.slice(2)).toEqual([
    '\u001b[H4 rows\u001b[K\n2\u001b[K\n3\u001b[K\n4\u001b[K\u001b[J',
    '\u001b[?25h\u001b[?1049l4 rows\n2\n3\n4\n',
  ]);
});

test('q leaves, Ctrl-C is a signal again, and other keys are nothing', async () => {
  const { process, killed } = terminal();
  const screen = openLiveScreen(process, new AbortController().signal);
  const press = async (keys: string): Promise<void> => {
    const heard = EventEmitter.once(process.stdin, 'data');
    process.stdin.write(keys);
    await heard;
  };
  await press('x');
  expect({ left: screen?.left.aborted, killed }).toEqual({ left: false, killed: [] });
  await press('\u0003');
  expect({ left: screen?.left.aborted, killed }).toEqual({ left: false, killed: [7, 'SIGINT'] });
  await press('q');
  expect(screen?.left.aborted).toBe(true);
});

test('a command that is stopped gives the terminal back at once', () => {
  const { process, written, modes } = terminal();
  const stop = new AbortController();
  openLiveScreen(process, stop.signal)?.draw(() => 'last');
  stop.abort();
  expect(written.at(-1)).toBe('\u001b[?25h\u001b[?1049llast\n');
  expect(modes.at(-1)).toBe(false);
});

test('there is no screen where stdout is no terminal, or a dumb one', () => {
  const { process } = terminal();
  const { signal } = new AbortController();
  expect(openLiveScreen({ ...process, env: { TERM: 'dumb' } }, signal)).toBeNull();
  expect(openLiveScreen({ ...process, stdout: new PassThrough() }, signal)).toBeNull();
});
