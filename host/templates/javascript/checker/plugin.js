import { list, read } from 'aiagent:step/workspace@0.1.0';

import { problems } from './logic.js';

export const checkStep = {
  check(task) {
    for (const [key] of task.settings) throw { tag: 'settings', val: `unknown setting ${key}: there are none` };
    const files = list('**').filter((file) => file.text);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const report = { verdict: 'passed', counts, problems: [], output: '' };
    for (const { path } of files) {
      const found = problems(new TextDecoder().decode(read(path)));
      counts[found.length ? 'failed' : 'passed'] += 1;
      report.problems.push(...found.map(([line, message]) => ({ path, line, message })));
    }
    if (counts.failed) report.verdict = 'failed';
    if (!files.length) {
      // Nothing was checked, so nothing has passed.
      report.verdict = 'broken';
      report.problems.push({ message: 'there is no text file to check' });
    }
    report.output = `${counts.passed} files are clean, ${counts.failed} are not\n`;
    return report;
  },
};
