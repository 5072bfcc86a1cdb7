/** The text of the first Markdown code block; undefined where there is none, or it does not end. */
export function code(answer) {
  const lines = answer.split('\n');
  const begin = lines.findIndex((line) => line.startsWith('```'));
  const end = lines.findIndex((line, at) => at > begin && line.trimEnd() === '```');
  if (begin < 0 || end < 0) return undefined;
  return lines.slice(begin + 1, end).map((line) => `${line}\n`).join('');
}
