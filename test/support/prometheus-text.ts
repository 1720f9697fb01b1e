/** One sample of the text format: `name{label="value"} 1`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = /^[a-z_:][a-z0-9_:]*$/;
const SAMPLE = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/**
 * Reads Prometheus' text format 0.0.4 strictly, as its own parser and `promtool check metrics` do: every family is
 * declared once, before its samples, and these belong to it. Throws what is wrong with which line.
 */
export function parsePrometheus(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, MetricFamily>();
  let family: MetricFamily | undefined;
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (line === '') continue;
    if (kind === 'HELP') help = { name, text: rest };
    else if (kind === 'TYPE') {
      if (help?.name !== name || families.has(name)) throw new Error(`no HELP before, or twice: ${line}`);
      family = { name, type: rest, help: help.text, samples: [] };
      families.set(name, family);
    } else if (family === undefined) throw new Error(`a sample without a family: ${line}`);
    else family.samples.push(parseSample(line, family));
  }
  return families;
}

function parseSample(line: string, family: MetricFamily): Sample {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
  const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!suffixes.some((suffix) => name === family.name + suffix)) throw new Error(`not a sample: ${line}`);
  const number = /^nan$/i.test(value) ? NaN : value === '+Inf' ? Infinity : Number(value);
  if (Number.isNaN(number) && !/^nan$/i.test(value)) throw new Error(`not a number: ${line}`);
  return { name, labels: parseLabels(labels, line), value: number };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`not labels: ${line}`);
    const [, name = '', value = ''] = match;
    labels[name] = value;
  }
  return labels;
}

/** What a linter says of families: names, units, and whether histograms add up. Empty: in order. */
export function lintFamilies(families: Iterable<MetricFamily>): readonly string[] {
  return [...families].flatMap((family) => {
    const { name, type, help, samples } = family;
    const faults: string[] = [];
    if (!NAME.test(name)) faults.push('its name is not in snake case');
    if (help === '') faults.push('it has no help');
    if ((type === 'counter') !== name.endsWith('_total')) faults.push('_total is for counters, all of them');
    if (/_(ms|milliseconds|minutes|kb|mb)(_|$)/.test(name)) faults.push('its unit is no base unit');
    const keys = samples.map(
      (sample) => `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`,
    );
    if (new Set(keys).size !== keys.length) faults.push('it has one sample twice');
    if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) faults.push('a counter is below 0');
    if (type === 'histogram') faults.push(...lintHistogram(family));
    return faults.map((fault) => `${name}: ${fault}`);
  });
}

function lintHistogram({ name, samples }: MetricFamily): readonly string[] {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const groups = groupBy(buckets);
  return [...groups].flatMap(([group, all]) => {
    const values = all.map(({ value }) => value);
    const count = samples.find((sample) => sample.name === `${name}_count` && groupOf(sample) === group);
    const isRising = values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    const isWhole = all.at(-1)?.labels['le'] === '+Inf' && count?.value === values.at(-1);
    return isRising && isWhole ? [] : [`the buckets of ${group} do not add up`];
  });
}

function groupBy(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) groups.set(groupOf(sample), [...(groups.get(groupOf(sample)) ?? []), sample]);
  return groups;
}

function groupOf({ labels }: Sample): string {
  return JSON.stringify(
    Object.entries(labels)
      .filter(([label]) => label !== 'le')
      .sort(),
  );
}

/** The value of the one sample with these labels (others it may have besides). Throws where there is not exactly one. */
export function valueOf(
  families: ReadonlyMap<string, MetricFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = (families.get(name)?.samples ?? []).filter((sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  const [sample] = found;
  if (sample === undefined || found.length > 1) {
    throw new Error(`${String(found.length)} samples of ${name} ${JSON.stringify(labels)}`);
  }
  return sample.value;
}
