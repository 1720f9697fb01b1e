import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createPrompts, type Prompts } from '../../../src/cli/prompts.ts';

/** A terminal that types `keys` at every question. */
function terminal(keys: string): { prompts: Prompts; shown: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    if (shown === '') setImmediate(() => input.write(keys));
    shown += chunk.toString();
  });
  return { prompts: createPrompts({ input, output, isAllowed: true }), shown: () => shown };
}

const noTerminal = createPrompts({ input: new PassThrough(), output: new PassThrough(), isAllowed: true });

describe('without a terminal', () => {
  test('a question is refused with NO_TERMINAL', async () => {
    expect(noTerminal.isAvailable).toBe(false);
    await expect(noTerminal.ask('Name?')).rejects.toMatchObject({ code: 'NO_TERMINAL' });
    await expect(noTerminal.choose('Which?', [{ value: 'a', label: 'A' }])).rejects.toMatchObject({
      code: 'NO_TERMINAL',
    });
    await expect(noTerminal.confirm('Sure?', { yes: false })).rejects.toMatchObject({ code: 'NO_TERMINAL' });
  });

  test('--yes confirms', async () => {
    await expect(noTerminal.confirm('Sure?', { yes: true })).resolves.toBeUndefined();
  });
});

test('under --json nothing is asked, terminal or not', async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  const prompts = createPrompts({ input: stream, output: stream, isAllowed: false });
  await expect(prompts.ask('Name?')).rejects.toMatchObject({ code: 'NO_TERMINAL' });
});

describe('at a terminal', () => {
  test('y confirms', async () => {
    await expect(terminal('y\r').prompts.confirm('Sure?', { yes: false })).resolves.toBeUndefined();
  });

  test('the answer that is no answer declines', async () => {
    await expect(terminal('\r').prompts.confirm('Sure?', { yes: false })).rejects.toMatchObject({
      code: 'DECLINED',
    });
  });

  test('what must be typed is compared', async () => {
    const sure = { yes: false, typed: 'production' };
    await expect(terminal('production\r').prompts.confirm('Sure?', sure)).resolves.toBeUndefined();
    await expect(terminal('yes\r').prompts.confirm('Sure?', sure)).rejects.toMatchObject({
      code: 'DECLINED',
    });
  });

  test('a choice is made with the arrow keys', async () => {
    const choices = [
      { value: 'only', label: 'Only' },
      { value: 'cascade', label: 'Cascade' },
    ] as const;
    await expect(terminal('\u001b[B\r').prompts.choose('How?', choices)).resolves.toBe('cascade');
  });

  test('a text is asked for, and its default shown', async () => {
    const { prompts, shown } = terminal('\r');
    await expect(prompts.ask('Name?', { preset: 'Ada' })).resolves.toBe('Ada');
    expect(shown()).toContain('Ada');
  });

  test('Ctrl-C is INTERRUPTED', async () => {
    await expect(terminal('\u0003').prompts.ask('Name?')).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('control characters in a question are made visible', async () => {
    const { prompts, shown } = terminal('x\r');
    await prompts.ask('Rename \u009b31mu1?');
    expect(shown()).toContain('Rename \\x9b31mu1?');
  });
});
