import { listUsers, type User } from '../../app/users.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { DEFAULT_LIMIT, usersListFlags } from '../../cli/users-list-flags.ts';
import { renderUsers, renderUsersCsv, wayOn } from '../../cli/views/users.ts';

/** NDJSON under `--json`: a `User` a line. */
export default class UsersList extends BaseCommand<User> {
  static override summary = "List the users of this service's table, in the order of their ids.";
  static override examples = [
    '<%= config.bin %> users list',
    '<%= config.bin %> users list --where email=ada@example.com',
    '<%= config.bin %> users list --limit 1000 --offset-id u1000 --json',
    '<%= config.bin %> users list --sort updated_at:desc --csv',
  ];
  static override flags = usersListFlags;

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
