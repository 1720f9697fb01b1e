import { Args, Flags } from '@oclif/core';
import { getUser, type UserDetails } from '../../app/users.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { databaseFlags } from '../../cli/flags.ts';
import { renderUser } from '../../cli/views/users.ts';

export default class UsersGet extends BaseCommand<UserDetails> {
  static override summary = "Show one user of this service's table, and what happened to it.";
  static override examples = ['<%= config.bin %> users get u1', '<%= config.bin %> users get u1 --history'];
  static override args = {
    userId: Args.string({ required: true, description: 'The user id.' }),
  };
  static override flags = {
    ...databaseFlags,
    history: Flags.boolean({ summary: "The user's events as well, in order, with what became of each." }),
  };

  protected async execute(): Promise<UserDetails> {
    const { args, flags } = await this.parse(UsersGet);
    const context = this.context(flags, 'database');
    const { details, text } = await getUser(await context.database(), args.userId, flags.history);
    return this.report(details, (_, style) => renderUser(details, text, style));
  }
}
