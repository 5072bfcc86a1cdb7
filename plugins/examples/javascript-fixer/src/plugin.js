import { log } from 'aiagent:step/log@0.1.0';
import { complete } from 'aiagent:step/model@0.1.0';
import { list, read, write } from 'aiagent:step/workspace@0.1.0';

import { code } from './answer.js';
import { current, question, stuck, suspect } from './logic.js';

export const fixStep = {
  fix(task, attempts) {
    for (const [key] of task.settings) throw { tag: 'settings', val: `unknown setting ${key}: there are none` };
    const attempt = current(attempts);
    if (!attempt) return { tag: 'rebuild', val: 'no check says what is wrong' };
    if (stuck(attempts)) return { tag: 'rebuild', val: `two repairs changed nothing: ${attempt.report.problems[0].message}` };
    const path = suspect(attempt, or('other', () => list('**')));
    if (!path) return { tag: 'stop', val: 'there is no text file of a fitting size that may be changed' };
    const before = text(path);
    log('info', `asking about ${path}, ${attempt.report.problems.length} problems`);
    const tests = task.tests.map((test) => [test, text(test)]);
    let after = before;
    // A model that only repeats the file is asked once more without seeing it.
    for (const shown of [before, undefined]) {
      const content = question(task.goal, path, shown, tests, attempt.report.problems);
      const completion = or('model', () =>
        complete({ messages: [{ role: 'user', content }], temperature: task.temperature, stop: [], seed: task.seed }),
      );
      after = code(completion.text);
      if (after === undefined) throw { tag: 'unusable-answer', val: 'the answer has no whole code block' };
      if (after !== before) break;
    }
    if (after === before) return { tag: 'rebuild', val: `the model repeats ${path} as it was` };
    or('unusable-answer', () => write(path, new TextEncoder().encode(after)));
    return { tag: 'proposed', val: `rewrote ${path}` };
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

function text(path) {
  return new TextDecoder().decode(or('other', () => read(path)));
}
