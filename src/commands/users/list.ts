import { Flags } from '@oclif/core';
import { listUsers, type User } from '../../app/users.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { databaseFlags, limitFlag } from '../../cli/flags.ts';
import { renderUsers, renderUsersCsv, wayOn } from '../../cli/views/users.ts';

const DEFAULT_LIMIT = 100;

/** NDJSON under `--json`: a `User` a line. */
export default class UsersList extends BaseCommand<User> {
  static override summary = "List the users of this service's table, in the order of their ids.";
  static override examples = [
    '<%= config.bin %> users list',
    '<%= config.bin %> users list --where email=ada@example.com',
    '<%= config.bin %> users list --limit 1000 --offset-id u1000 --json',
    '<%= config.bin %> users list --sort updated_at:desc --csv',
  ];
  static override flags = {
    ...databaseFlags,
    ...limitFlag(String(DEFAULT_LIMIT)),
    where: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Only users with this value; repeat it for more.',
      helpValue: 'FIELD=VALUE',
    }),
    'offset-id': Flags.string({ summary: 'Only users behind this id.', helpValue: 'USER_ID' }),
    sort: Flags.string({
      summary: 'By this field rather than by the id; NULLs last.',
      helpValue: 'FIELD[:desc]',
      exclusive: ['offset-id'],
    }),
    skip: Flags.integer({
      min: 0,
      default: 0,
      summary: 'Pass over so many: the way on with --sort.',
      helpValue: 'N',
    }),
    csv: Flags.boolean({
      default: false,
      summary: 'Print CSV, a title line first; quoted as RFC 4180 says, lines end in a line feed.',
      exclusive: ['json'],
    }),
  };

  protected async execute(): Promise<undefined> {
    const { flags } = await this.parse(UsersList);
    const context = this.context(flags, 'database');
    const list = await listUsers(await context.database(), {
      where: flags.where ?? [],
      limit: flags.limit ?? DEFAULT_LIMIT,
      after: flags['offset-id'] ?? null,
      sort: flags.sort ?? null,
      skip: flags.skip,
    });
    if (this.isJson) {
      for (const { userId, row } of list.users) await this.printJson({ userId, row });
    } else {
      await this.printLine(flags.csv ? renderUsersCsv(list) : renderUsers(list, this.style));
    }
    if (list.next !== null) this.notice(`There are more: ${wayOn(list.next)}`);
  }
}
