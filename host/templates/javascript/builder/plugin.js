import { log } from 'aiagent:step/log@0.1.0';
import { complete } from 'aiagent:step/model@0.1.0';
import { read, write } from 'aiagent:step/workspace@0.1.0';

import { code } from './answer.js';
import { question, target } from './logic.js';

export const buildStep = {
  build(task, attempts) {
    const path = or('settings', () => target(task.goal, task.settings));
    const tests = task.tests.map((test) => [test, text(test)]);
    log('info', `asking for ${path}`);
    const completion = or('model', () =>
      complete({
        messages: [{ role: 'user', content: question(task.goal, path, tests, attempts.at(-1)?.failure) }],
        temperature: task.temperature,
        stop: [],
        seed: task.seed,
      }),
    );
    const content = code(completion.text);
    if (content === undefined) throw { tag: 'unusable-answer', val: 'the answer has no whole code block' };
    if (content === text(path)) throw { tag: 'unusable-answer', val: `the answer is ${path} as it was` };
    or('unusable-answer', () => write(path, new TextEncoder().encode(content)));
    return { summary: `wrote ${path}` };
  },
};

/** What `act` returns; what it throws becomes a step-error of this case. */
function or(tag, act) {
  try {
    return act();
  } catch (error) {
    // A typed error of the host's has a payload: model-error fits its case, others are put into words.
    const payload = error.payload ?? error.message;
    throw { tag, val: tag === 'model' || typeof payload === 'string' ? payload : `${payload.tag}: ${payload.val}` };
  }
}

/** A file's text; empty where there is none. */
function text(path) {
  try {
    return new TextDecoder().decode(read(path));
  } catch {
    return '';
  }
}
