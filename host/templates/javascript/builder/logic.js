/** The file to write: the setting `file`, else the first word of the goal that looks like a file's name. */
export function target(goal, settings) {
  for (const [key] of settings) {
    if (key !== 'file') throw new Error(`unknown setting ${key}: the only one is file`);
  }
  const named = settings[0]?.[1] ?? goal.match(/[\w/-]+(\.[\w/-]+)*\.[a-z]{1,4}\b/)?.[0];
  if (!named) throw new Error('the goal names no file: set file, for example file = "main.py"');
  return named;
}

/** What the model is asked. `tests`: pairs of path and text; `failure`: why the last attempt was no good. */
export function question(goal, path, tests, failure) {
  const parts = tests.map(([test, text]) => `The tests in ${test}, which stay as they are:\n\`\`\`\n${text}\`\`\``);
  parts.push(`Goal: ${goal}`);
  if (failure) parts.push(`An earlier attempt failed: ${failure}`);
  parts.push(`Write the file ${path}. Answer with its whole text, and nothing of the tests, in one Markdown code block.`);
  return parts.join('\n\n');
}
