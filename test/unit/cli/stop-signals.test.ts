import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { UserEventsError } from '../../../src/errors/user-events-error.ts';
import { isInterruption, listenToSignals } from '../../../src/cli/stop-signals.ts';

describe('the first signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s aborts and leaves nothing', (name) => {
    const emitter = new EventEmitter();
    let left = 0;
    const request = listenToSignals(emitter, () => (left += 1));
    expect(request.reason).toBeNull();
    emitter.emit(name);
    expect(request.reason).toBe(name);
    expect(request.signal.reason).toMatchObject({ code: 'INTERRUPTED' });
    expect(left).toBe(0);
    emitter.emit('SIGTERM');
    expect(left).toBe(1);
    request.dispose();
    expect(emitter.eventNames()).toEqual([]);
  });

  test('after the reader has gone is still the first', () => {
    const emitter = new EventEmitter();
    let left = 0;
    const request = listenToSignals(emitter, () => (left += 1));
    request.stop('reader gone');
    emitter.emit('SIGINT');
    expect(left).toBe(0);
    expect(request.reason).toBe('SIGINT');
  });
});

test.each([
  [new UserEventsError('INTERRUPTED', 'x'), true],
  [Object.assign(new Error('x'), { name: 'AbortError' }), true],
  [Object.assign(new Error('x'), { code: 'ABORT_ERR' }), true],
  [new UserEventsError('LOG_UNREACHABLE', 'x'), false],
  [new Error('x'), false],
  ['x', false],
])('of the error number %# it is known whether it is an interruption', (error, is) => {
  expect(isInterruption(error)).toBe(is);
});
