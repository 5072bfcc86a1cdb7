import assert from 'node:assert/strict';
import { test } from 'node:test';

import { code } from '../src/answer.js';
import { current, question, repeats, stuck, suspect } from '../src/logic.js';

const file = (path, more) => ({ path, size: 10n, text: true, protected: false, ...more });
const report = (...problems) => ({ problems });

test('the current attempt is the one with a report', () => {
  const attempts = [{ current: true, report: report({ message: 'first' }) }, { current: false }];
  assert.equal(current(attempts), attempts[0]);
  assert.equal(current([{ current: true, report: report() }]), undefined);
});

test('the suspect is a file that may be changed', () => {
  const files = [file('a.bin', { text: false }), file('a.csv', { size: 300_000n }), file('a.py'), file('b.py'), file('test_b.py', { protected: true })];
  const at = (problem, diff = '') => suspect({ report: report(problem), diff }, files);
  assert.equal(at({ path: 'b.py', message: '' }), 'b.py');
  assert.equal(at({ path: 'test_b.py', message: 'in b.py, line 2' }), 'b.py');
  assert.equal(at({ message: 'wrong' }, '--- a/b.py\n+++ b/b.py\n'), 'b.py');
  assert.equal(at({ message: 'wrong' }), 'a.py');
});

test('the same report after two repairs is stuck', () => {
  const fix = (message) => ({ kind: 'fix', report: report({ message }) });
  assert.equal(stuck([fix('a'), fix('a')]), true);
  assert.equal(stuck([fix('a'), fix('b')]), false);
  assert.equal(stuck([{ kind: 'build', report: report({ message: 'a' }) }, fix('a')]), false);
});

test('the model sees goal, tests, file and problems', () => {
  const problems = [{ test: 'test_x', line: 3, message: '1 != 2' }];
  const asked = question('Make it work', 'a.py', 'x = 1\n', [['test_a.py', 'import a\n']], problems);
  for (const part of ['Make it work', 'import a', 'x = 1', '- test_x, line 3: 1 != 2']) assert.ok(asked.includes(part), part);
  assert.ok(!question('Make it work', 'a.py', undefined, [], problems).includes('now:'));
});

test('an answer that repeats the file or a test is none', () => {
  const tests = [['test_a.py', 'import a\n']];
  assert.deepEqual(['x = 1\n', '\nimport a', 'x = 2\n'].map((text) => repeats(text, 'x = 1\n', tests)), [true, true, false]);
});

test('an answer is its first whole code block', () => {
  assert.equal(code('Here:\n```python\nx = 1\n```\nDone.'), 'x = 1\n');
  assert.equal(code('```\nx = 1\n'), undefined);
});
