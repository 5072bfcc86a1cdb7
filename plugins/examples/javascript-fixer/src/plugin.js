import { run } from 'aiagent:step/check@0.1.0';
import { log } from 'aiagent:step/log@0.1.0';
import { complete } from 'aiagent:step/model@0.1.0';
import { list, read, write } from 'aiagent:step/workspace@0.1.0';

import { code } from './answer.js';
import { current, question, repeats, stuck, suspect } from './logic.js';

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
    let rewritten = false;
    // A small model clings to what it sees, mistakes and all: where that does not pass, it is asked once more
    // without seeing the file.
    for (const shown of [before, undefined]) {
      const content = question(task.goal, path, shown, tests, attempt.report.problems);
      const completion = or('model', () =>
        complete({ messages: [{ role: 'user', content }], temperature: task.temperature, stop: [], seed: task.seed }),
      );
      const after = code(completion.text);
      if (after === undefined) throw { tag: 'unusable-answer', val: 'the answer has no whole code block' };
      if (repeats(after, before, tests)) continue;
      or('unusable-answer', () => write(path, new TextEncoder().encode(after)));
      rewritten = true;
      const problem = mistake();
      if (!problem) break;
      log('info', `${path} is not good yet: ${problem}`);
    }
    if (!rewritten) return { tag: 'rebuild', val: `the model repeats what it was shown, ${path} or the tests` };
    return { tag: 'proposed', val: `rewrote ${path}` };
  },
};

/** What the checker says first; undefined where it is content, or can't judge: the coordinator will. */
function mistake() {
  try {
    return run().problems[0]?.message;
  } catch {
    return undefined;
  }
}

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
