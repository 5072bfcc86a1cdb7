import assert from 'node:assert/strict';
import { test } from 'node:test';

import { problems } from '../src/logic.js';

test('what is wrong is found with its line', () => {
  assert.deepEqual(problems('a\n\nb\n'), []);
  assert.deepEqual(problems('a\nb \n'), [[2, 'blanks at the end of the line']]);
  assert.deepEqual(problems('<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n').map(([line]) => line), [1, 5]);
});
