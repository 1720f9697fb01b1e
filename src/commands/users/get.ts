import { Args, Flags } from '@oclif/core';
import { getUser, type UserDetails } from '../../app/users.ts';
import { userThen, type UserThen } from '../../app/user-then.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { databaseFlags } from '../../cli/flags.ts';
import { renderUser, renderUserThen } from '../../cli/views/users.ts';

export default class UsersGet extends BaseCommand<UserDetails | UserThen> {
  static override summary = "Show one user of this service's table, and what happened to it.";
  static override examples = [
    '<%= config.bin %> users get u1',
    '<%= config.bin %> users get u1 --history',
    '<%= config.bin %> users get u1 --at @-1h',
  ];
  static override args = {
    userId: Args.string({ required: true, description: 'The user id.' }),
  };
  static override flags = {
    ...databaseFlags,
    at: Flags.string({
      summary:
        'The user as of then: an offset (3@41 where its events lie in several partitions), or a time (@2026-01-31, @-1h).',
      helpValue: '[P@]OFFSET|@TIME',
      exclusive: ['history'],
    }),
    history: Flags.boolean({ summary: "The user's events as well, in order, with what became of each." }),
  };

  protected async execute(): Promise<UserDetails | UserThen> {
    const { args, flags } = await this.parse(UsersGet);
    const context = this.context(flags, 'database');
    if (flags.at !== undefined) {
      const then = await userThen(await context.database(), args.userId, flags.at, context.now());
      return this.report(then, (_, style) => renderUserThen(then, style));
    }
    const { details, text } = await getUser(await context.database(), args.userId, flags.history);
    return this.report(details, (_, style) => renderUser(details, text, style));
  }
}
