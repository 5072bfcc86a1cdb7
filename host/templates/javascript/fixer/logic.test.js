import assert from 'node:assert/strict';
import { test } from 'node:test';

import { code } from '../src/answer.js';
import { problem, question, suspect } from '../src/logic.js';

const file = (path, more) => ({ path, size: 10n, text: true, protected: false, ...more });

test('the problem is the first one of the current attempt', () => {
  const report = { problems: [{ message: 'first' }, { message: 'second' }] };
  assert.equal(problem([{ current: true, report }, { current: false }]).message, 'first');
  assert.equal(problem([{ current: true }]), undefined);
});

test('the suspect is a file that may be changed', () => {
  const files = [file('a.bin', { text: false }), file('a.csv', { size: 300_000n }), file('a.py'), file('b.py'), file('test_b.py', { protected: true })];
  assert.equal(suspect({ path: 'b.py', message: '' }, files), 'b.py');
  assert.equal(suspect({ path: 'test_b.py', message: 'in b.py, line 2' }, files), 'b.py');
  assert.equal(suspect({ message: 'wrong' }, files), 'a.py');
  assert.equal(suspect({ message: 'wrong' }, []), undefined);
});

test('the model sees goal, file and message', () => {
  const asked = question('Make it work', 'a.py', 'x = 1\n', '1 != 2');
  for (const part of ['Make it work', 'a.py', 'x = 1', '1 != 2']) assert.ok(asked.includes(part), part);
});

test('an answer is its first whole code block', () => {
  assert.equal(code('Here:\n```python\nx = 1\n```\nDone.'), 'x = 1\n');
  assert.equal(code('```\nx = 1\n'), undefined);
  assert.equal(code('no code'), undefined);
});
