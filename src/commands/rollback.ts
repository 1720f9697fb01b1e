import { dryRun, rollBack } from '../app/rollback/roll-back.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { rollbackFlags } from '../cli/rollback-flags.ts';
import { exitOfPlans, plansFor, readRollback, type RollbackFlagValues } from '../cli/rollback-request.ts';
import { askedService, severalProfiles, withOneProfile } from '../cli/services.ts';
import type { View } from '../cli/theme.ts';
import { renderPlansInServices, type PlansInServices } from '../cli/views/services/plans.ts';
import { renderRollback, type RollbackResult } from '../cli/views/rollback.ts';

export default class Rollback extends BaseCommand<RollbackResult | PlansInServices> {
  static override summary = 'Withdraw events, in every service that consumes the topic.';
  static override description =
    'Shows first what would happen: the row now and then, field by field, and every event whose status would change. ' +
    'Then publishes one compensating event a user; every consumer group decides on it alike and reverts what it had applied. ' +
    'What is withdrawn already, or under way, is left alone: a bulk that was stopped is run again. At a terminal, without ' +
    'events, lets one be searched for and picked.';
  static override examples = [
    '<%= config.bin %> rollback',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --dry-run',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --dry-run --profile orders --profile billing',
    '<%= config.bin %> rollback --event-id 0190a3c4-… --cascade --reason "wrong import" --yes --wait',
    '<%= config.bin %> rollback --constraint users_email_key --since 1h --only --yes',
  ];
  static override flags = rollbackFlags;
  // Ends between two portions: what was sent stays sent, and is counted.
  protected override readonly drains = true;

  protected async execute(): Promise<RollbackResult | PlansInServices> {
    const { flags: parsed } = await this.parse(Rollback);
    const flags = withOneProfile(parsed);
    const several = severalProfiles(parsed);
    if (several !== null) return this.planInEach(flags, several);
    const context = this.context(flags, flags['dry-run'] ? 'database' : 'both');
    const progress = this.progress('Rolling back');
    const screen = {
      show: <Thing>(thing: Thing, view: View<Thing>): void => {
        progress.stop();
        this.show(thing, view);
      },
      notice: (text: string): void => {
        this.notice(text);
      },
    };
    const request = await readRollback(context, this.prompts, flags, progress, screen);
    const database = await context.database();
    const work = flags['dry-run'] ? dryRun(database, request) : rollBack(database, request);
    const { exit, ...result } = await work.finally(() => {
      progress.stop();
    });
    return this.report(result, (_, style) => renderRollback(result, style), exit);
  }

  private async planInEach(flags: RollbackFlagValues, profiles: readonly string[]): Promise<PlansInServices> {
    const services = profiles.map((name) => askedService(name, this.context(flags, 'database', name)));
    const result = await plansFor(services, flags, this.prompts, this.signal);
    return this.report(result, (_, style) => renderPlansInServices(result, style), exitOfPlans(result));
  }
}
