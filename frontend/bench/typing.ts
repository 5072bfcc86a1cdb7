import type { Host } from "../browser/host";
import { ADD, submit } from "../browser/host";
import type { Model } from "../browser/model";
import { sleep } from "./figures";

/** What the host's worker may hold at a time. */
export const WORKER = "worker.tasks = 100\n";

const WORD_EVERY_MS = 200;

/** Tasks whose model writes five words a second, until told to stop. */
export async function typingTasks(host: Host, model: Model, count: number): Promise<{ ids: string[]; stop: () => Promise<void> }> {
  let over = false;
  const type = async () => {
    const answer = await model.asked();
    for (let word = 0; !over; word++) {
      answer.says(`word${word} `);
      await sleep(WORD_EVERY_MS);
    }
    answer.says("\n```python\n# add.py\ndef add(a, b):\n    return a + b\n```\n");
    answer.ends();
  };
  const typing = Array.from({ length: count }, type);
  const ids = await Promise.all(Array.from({ length: count }, (_, n) => submit(host, { ...ADD, goal: `${ADD.goal} ${n}` })));
  return {
    ids,
    stop: async () => {
      over = true;
      await Promise.all(typing);
    },
  };
}
