/** More than any model takes; to hand such a file over takes seconds. */
const MOST_BYTES = 256 * 1024;

/** The report of the attempt that the workspace holds, as far as it names a problem. */
export function problem(attempts) {
  return attempts.findLast((attempt) => attempt.current)?.report?.problems[0];
}

/** The file to repair: the one the problem names, one that its message names, else the first of ours. */
export function suspect(problem, files) {
  const ours = files.filter((file) => file.text && !file.protected && file.size <= MOST_BYTES).map((file) => file.path);
  return ours.find((path) => path === problem.path) ?? ours.find((path) => problem.message.includes(path)) ?? ours[0];
}

/** What the model is asked. */
export function question(goal, path, code, message) {
  return [
    `Goal: ${goal}`,
    `A check says:\n${message}`,
    `${path} is now:\n\`\`\`\n${code}\`\`\``,
    `Answer with the whole corrected file ${path} in one Markdown code block.`,
  ].join('\n\n');
}
