import type { Check, CheckState, DoctorResult } from '../../app/doctor.ts';
import { visible } from '../sanitize.ts';
import { padText } from '../text-width.ts';
import type { Paint, Style, Theme } from '../theme.ts';

/** A line a check, the mend below the ones that need it, and a verdict. */
export function renderDoctor({ checks, healthy }: DoctorResult, { theme }: Style): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const verdict = healthy
    ? theme.good('All that is needed is there.')
    : theme.bad('Something is missing: see →.');
  return [...checks.flatMap((check) => renderCheck(check, width, theme)), '', verdict].join('\n');
}

function renderCheck(
  { name, state, detail, mend, code }: Check,
  width: number,
  theme: Theme,
): readonly string[] {
  const { mark, paint } = marks(theme)[state];
  const suffix = code === undefined ? '' : theme.dim(` (${code})`);
  const line = `${paint(mark)} ${padText(name, width)}  ${visible(detail)}${suffix}`;
  return mend === undefined ? [line] : [line, `  ${padText('', width)}  → ${visible(mend)}`];
}

function marks(theme: Theme): Readonly<Record<CheckState, { readonly mark: string; readonly paint: Paint }>> {
  return {
    ok: { mark: '✓', paint: theme.good },
    info: { mark: '·', paint: theme.dim },
    warn: { mark: '!', paint: theme.warn },
    fail: { mark: '✗', paint: theme.bad },
  };
}
