import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configFile } from '../support/config-file.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { describeTerminal, KEYS, openTerminal, type Terminal } from '../support/terminal.ts';

const WRONG = '018f3c1e-7b7c-7def-8abc-0000000000a1';
const TABLE = `create table public.users (user_id text primary key, name text,
  email text constraint email_has_an_at check (email like '%@%'))`;

describeTerminal('the interactive choice', () => {
  describeKafka('of a rollback', () => {
    let service: Service;
    beforeAll(async () => {
      service = await openService({ topic: uniqueName('terminal'), table: TABLE });
      await service.run(['publish', 'create', 'ada', '--name', 'Ada', '--email', 'ada@example.com']);
      await service.run(['publish', 'create', 'bob', '--name', 'Bob']);
      await service.run(['publish', 'update', 'ada', '--email', 'nowhere', '--event-id', WRONG]);
      await service.run(['publish', 'update', 'ada', '--name', 'Ada King']);
      await service.catchUp(7);
    }, 60_000);
    afterAll(() => service.database.drop());

    const records = async (): Promise<number> =>
      (await service.run(['log', '--json', '-o', 'start'])).stdout.trimEnd().split('\n').length;
    const atTerminal = (args: readonly string[], env = {}): Promise<Terminal> =>
      openTerminal(['rollback', ...args], { ...service.env, ...env });

    test.each([
      [
        'Ctrl-C at the search',
        async (terminal: Terminal) => {
          await terminal.sees(/holds back 1/);
          terminal.type(KEYS.ctrlC);
        },
        130,
      ],
      [
        'Escape at the search',
        async (terminal: Terminal) => {
          await terminal.sees(/holds back 1/);
          terminal.type(KEYS.escape);
        },
        6,
      ],
      [
        'Ctrl-C at the plan',
        async (terminal: Terminal) => {
          await terminal.sees(/holds back 1/);
          terminal.type(KEYS.enter);
          await terminal.sees(/Publish which rollback/);
          terminal.type(KEYS.ctrlC);
        },
        130,
      ],
      [
        'the choice of nothing',
        async (terminal: Terminal) => {
          await terminal.sees(/holds back 1/);
          terminal.type(KEYS.enter);
          await terminal.sees(/Publish which rollback/);
          terminal.type(`${KEYS.down}${KEYS.down}${KEYS.enter}`);
        },
        6,
      ],
    ])(
      '%s sends nothing',
      async (_, act, exit) => {
        const before = await records();
        const terminal = await atTerminal([]);
        await act(terminal);
        const code = exit === 130 ? 'INTERRUPTED' : 'DECLINED';
        expect({ exit: await terminal.ended, screen: terminal.screen() }).toEqual({
          exit,
          screen: expect.stringMatching(new RegExp(`\\(${code}\\)`)),
        });
        expect(await records()).toBe(before);
      },
      60_000,
    );

    test('in production the name of the profile is asked for, and another word declines', async () => {
      const before = await records();
      const config = { live: { production: true } };
      const file = await configFile(config);
      const terminal = await atTerminal(['--event-id', WRONG, '--only', '--profile', 'live'], {
        USER_EVENTS_CONFIG: file,
      });
      await terminal.sees(/Type live to go on/);
      terminal.type(`yes${KEYS.enter}`);
      expect(await terminal.ended).toBe(6);
      expect(await records()).toBe(before);
    }, 60_000);

    test('one event is searched for, the plan of both ways is shown, and one question sends it', async () => {
      const before = await records();
      const terminal = await atTerminal([]);
      await terminal.sees(
        /Which event is to be rolled back[\s\S]*update ada[\s\S]*email_has_an_at[\s\S]*holds back 1/,
      );
      // The beginning of a user's id will do.
      terminal.type('ad');
      await terminal.sees(/create ada/);
      terminal.type(KEYS.enter);
      await terminal.sees(/FIELD +NOW +ONLY +CASCADE/);
      await terminal.sees(/name +Ada +Ada King +Ada/);
      await terminal.sees(/Publish which rollback/);
      terminal.type(KEYS.enter);
      expect({ exit: await terminal.ended, screen: terminal.screen() }).toMatchObject({ exit: 0 });
      expect(terminal.screen()).toContain('sent as event');
      expect(await records()).toBe(before + 1);
      await service.catchUp();
      expect(await service.users()).toMatchObject({ ada: { name: 'Ada King', email: 'ada@example.com' } });
    }, 60_000);
  });
});
