/**
 * mocha's spec reporter, which also writes how many tests passed, failed and were skipped to the file named by
 * MOCHA_COUNTS, for the sum over all packages. CommonJS, because mocha loads reporters with require; mocha is looked up
 * from the package under test, which is the one that has it.
 */
const { writeFileSync } = require('node:fs');
const Mocha = require(require.resolve('mocha', { paths: [process.cwd()] }));

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(process.env.MOCHA_COUNTS, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  }
}

module.exports = CountingReporter;
