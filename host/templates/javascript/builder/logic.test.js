import assert from 'node:assert/strict';
import { test } from 'node:test';

import { code } from '../src/answer.js';
import { question, target } from '../src/logic.js';

test('the file is the one that the goal or a setting names', () => {
  assert.equal(target('Write lib/slug.py with slugify(text).', []), 'lib/slug.py');
  assert.equal(target('Write slug.py', [['file', 'other.py']]), 'other.py');
  assert.throws(() => target('Make it work', []), /names no file/);
  assert.throws(() => target('Write slug.py', [['fil', 'x']]), /unknown setting fil/);
});

test('the model sees the goal, the tests and what went wrong', () => {
  const asked = question('Write a.py', 'a.py', [['test_a.py', 'import a\n']], 'no code');
  for (const part of ['Goal: Write a.py', 'import a', 'no code', 'the file a.py']) assert.ok(asked.includes(part), part);
});

test('an answer is its first whole code block', () => {
  assert.equal(code('Here:\n```python\nx = 1\n```\nDone.'), 'x = 1\n');
  assert.equal(code('```\nx = 1\n'), undefined);
  assert.equal(code('no code'), undefined);
});
