import path from 'node:path';
import { NEEDS_KAFKA } from './needs-kafka.mjs';

/**
 * Names, in the last lines of the run, what did not run: the blocks that want a Kafka broker (then it fails where CI is
 * set), and tests that want what this machine does not have (root, a terminal).
 */
export default class NotRunReporter {
  /** @type {Set<string>} */
  #notRun = new Set();
  /** @type {Set<string>} */
  #others = new Set();

  /**
   * @param {{path: string}} test
   * @param {{testResults: readonly {status: string, title: string, ancestorTitles: readonly string[]}[]}} result
   */
  onTestResult(test, result) {
    const file = path.relative(process.cwd(), test.path);
    for (const { status, title, ancestorTitles } of result.testResults) {
      const block = ancestorTitles.findIndex((title) => title.endsWith(NEEDS_KAFKA));
      if (status !== 'pending') continue;
      if (block >= 0) this.#notRun.add(`${file} > ${ancestorTitles.slice(0, block + 1).join(' > ')}`);
      else this.#others.add(`${file} > ${[...ancestorTitles, title].join(' > ')}`);
    }
  }

  onRunComplete() {
    // At the exit, since jest's own summary comes after every reporter.
    if (this.#notRun.size > 0) process.once('exit', () => this.#tell());
    if (this.#others.size > 0) process.once('exit', () => this.#tellOthers());
  }

  #tell() {
    const reason = process.env['TEST_KAFKA_MISSING'] ?? 'There is no Kafka broker.';
    const suites = [...this.#notRun].toSorted().map((suite) => `  ${suite.replace(` ${NEEDS_KAFKA}`, '')}\n`);
    process.stderr.write(
      `\nNOT RUN, because they need Kafka (${this.#notRun.size}):\n${suites.join('')}${reason}\n`,
    );
  }

  #tellOthers() {
    const tests = [...this.#others].toSorted().map((test) => `  ${test}\n`);
    process.stderr.write(
      `\nNOT RUN, because this machine lacks what they need (${this.#others.size}):\n${tests.join('')}`,
    );
  }

  /** Called by jest at the end: an error makes the run fail. */
  getLastError() {
    const isCi = !['', 'false', '0', undefined].includes(process.env['CI']);
    if (isCi && this.#notRun.size > 0) return new Error(`${this.#notRun.size} Kafka suites did not run`);
    return undefined;
  }
}
