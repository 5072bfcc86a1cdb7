import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Answer, body } from '../src/logic.js';

const request = { messages: [{ role: 'user', content: 'hi' }], stop: [], seed: 7n, maxTokens: 5 };
const settings = { model: 'qwen', stream: true, extra: [['num_ctx', '4096']] };

test('a request is what Ollama documents', () => {
  assert.deepEqual(JSON.parse(body(request, settings)), {
    model: 'qwen',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    options: { num_predict: 5, seed: 7, num_ctx: 4096 },
  });
  assert.throws(() => body(request, { ...settings, extra: [['num_ctx', 'many']] }), { tag: 'invalid-request' });
});

test('an answer is the same wherever it is cut', () => {
  const bytes = readFileSync(new URL('answer.ndjson', import.meta.url));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const answer = new Answer(200, [], 'qwen');
    const pieces = [...answer.push(bytes.subarray(0, cut)), ...answer.push(bytes.subarray(cut))];
    const usage = { inputTokens: 31n, outputTokens: 4n };
    assert.deepEqual(answer.finish(), { text: 'Grüße!\n', finish: 'stop', usage, model: 'qwen2.5-coder:1.5b' });
    assert.equal(pieces.join(''), 'Grüße!\n');
  }
});

test('what goes wrong has a type', () => {
  const finished = (status, headers, text) => {
    const answer = new Answer(status, headers, 'qwen');
    answer.push(Buffer.from(text));
    return () => answer.finish();
  };
  assert.throws(finished(404, [], '{"error":"no such model"}'), { tag: 'invalid-request', val: '404: no such model' });
  assert.throws(finished(429, [['retry-after', '2']], ''), { tag: 'rate-limited', val: 2000n });
  assert.throws(finished(503, [], '<html>'), { tag: 'overloaded', val: undefined });
  assert.throws(finished(200, [], '{"message":{"content":"a"},"done":false}\n'), { tag: 'malformed' });
  assert.throws(finished(200, [], 'hello'), { tag: 'malformed', val: 'not a message: hello' });
});
