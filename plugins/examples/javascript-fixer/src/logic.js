/** More than any model takes; to hand such a file over takes seconds. */
const MOST_BYTES = 256 * 1024;

/** The attempt that the workspace holds, as far as its report names a problem. */
export function current(attempts) {
  const attempt = attempts.findLast((attempt) => attempt.current);
  return attempt?.report?.problems.length ? attempt : undefined;
}

/** The file to repair: one that a problem is at, one that its message names, else what the task's rounds changed. */
export function suspect(attempt, files) {
  const ours = files.filter((file) => file.text && !file.protected && file.size <= MOST_BYTES).map((file) => file.path);
  const { problems } = attempt.report;
  return (
    ours.find((path) => problems.some((problem) => problem.path === path)) ??
    ours.find((path) => problems.some((problem) => problem.message.includes(path))) ??
    ours.find((path) => attempt.diff.includes(`+++ b/${path}\n`)) ??
    ours[0]
  );
}

/** Whether the last two repairs came to the same report: another one of the kind won't help. */
export function stuck(attempts) {
  const said = attempts
    .filter((attempt) => attempt.kind === 'fix' && attempt.report)
    .map((attempt) => attempt.report.problems.map((problem) => problem.message).join('\n'));
  return said.length > 1 && said.at(-1) === said.at(-2);
}

/** What the model is asked. `code`: the file as it is, if it is to be seen. `tests`: pairs of path and text. */
export function question(goal, path, code, tests, problems) {
  const found = problems.slice(0, 5).map(({ test, line, message }) => `- ${test ?? path}${line ? `, line ${line}` : ''}: ${message}`);
  return [
    goal,
    ...tests.map(([test, text]) => `It must pass these tests (\`${test}\`):\n\n\`\`\`\n${text}\`\`\``),
    ...(code === undefined ? [] : [`This is \`${path}\` now:\n\n\`\`\`\n${code}\`\`\``]),
    `An attempt failed; take care of this:\n\n${found.join('\n')}`,
    `Answer with the complete corrected content of \`${path}\` in one code block. Do not repeat the tests.`,
  ].join('\n\n');
}

/** Whether an answer says nothing new: a small model repeats what it sees, the file or the tests. */
export function repeats(answer, before, tests) {
  return [before, ...tests.map(([, text]) => text)].some((seen) => seen.trim() === answer.trim());
}
