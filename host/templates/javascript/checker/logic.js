const MARKS = ['<<<<<<< ', '>>>>>>> '];

/** What is wrong with a text: pairs of line, from 1, and message. */
export function problems(text) {
  const found = [];
  text.split('\n').forEach((line, index) => {
    if (MARKS.some((mark) => line.startsWith(mark))) found.push([index + 1, 'a merge conflict was left here']);
    else if (/[ \t]$/.test(line)) found.push([index + 1, 'blanks at the end of the line']);
  });
  return found;
}
