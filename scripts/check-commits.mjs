// Commit subjects are Conventional Commits with the feature as scope: `fix(rollback): refuse a drifted row`.
import { execFileSync } from 'node:child_process';

const SUBJECT = /^(feat|fix|perf|refactor|test|docs|build|ci|chore|revert)(\([a-z0-9-]+\))?!?: \S.{0,90}$/;
const subjects = execFileSync('git', ['log', '--no-merges', '--format=%h %s'], { encoding: 'utf8' })
  .trim()
  .split('\n');
const wrong = subjects.filter((line) => !SUBJECT.test(line.slice(line.indexOf(' ') + 1)));
for (const line of wrong)
  process.stderr.write(`Not a Conventional Commit: ${line}\nMend: git commit --amend, or git rebase -i\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
