import type { Host } from "./host";
import { submit } from "./host";
import type { Model } from "./model";

export const LONG = { rounds: 500, linesPerRound: 200 };

/** Fails with another message each time, and prints a lot. */
const TEST = `from value import value


def test_value():
    for number in range(${LONG.linesPerRound - 1}):
        print("line", number)
    assert value() == 0
`;

export const LONG_CONFIG = `[pipelines.long]
candidates = ${LONG.rounds}
max_rounds = ${LONG.rounds}
`;

/** A task of 500 rounds, with well over 5,000 events and 100,000 lines of log. */
export async function longTask(host: Host, model: Model): Promise<string> {
  const body = { goal: "Write value.py with value().", files: [{ path: "test_value.py", content: TEST }], tests: ["test_value.py"] };
  const id = await submit(host, { ...body, pipeline: "long", budget: { rounds: LONG.rounds } });
  for (let round = 1; round <= LONG.rounds; round++) {
    const answer = await model.asked();
    answer.says("```python\n# value.py\n");
    answer.says(`def value():\n    return ${round}\n\`\`\`\n`);
    answer.ends();
  }
  return id;
}
