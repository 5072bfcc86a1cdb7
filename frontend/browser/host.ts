import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const PROGRAM = join(TARGET, "release/aiagent-host");

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** The real program with the real plugins; started again, it finds the state it left, on the same port. */
export class Host {
  private child: ChildProcess | undefined;
  readonly dir = mkdtempSync(join(tmpdir(), "aiagent-page-"));
  url = "";

  private constructor(
    private readonly config: string,
    private readonly plugins: string | undefined,
  ) {}

  /** `own`: the plugins, without `.wasm`, that it has in a folder of its own, which it may change. */
  static async start(config: string, own?: string[]): Promise<Host> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: make build`);
    const host = new Host(config, own && "plugins");
    if (own) mkdirSync(join(host.dir, "plugins"));
    for (const name of own ?? []) cpSync(pluginFile(name), join(host.dir, "plugins", `${name}.wasm`));
    host.url = `http://127.0.0.1:${await freePort()}`;
    await host.up();
    return host;
  }

  async up() {
    const file = this.file;
    writeFileSync(
      file,
      `listen = "${this.url.replace("http://", "")}"
plugins_dir = ["${this.plugins ? join(this.dir, this.plugins) : join(TARGET, "plugins")}"]
state_dir = "${join(this.dir, "state")}"
cache_dir = "${join(TARGET, "tmp/compiled")}"
worker.lease_s = 3
${this.config}`,
    );
    this.child = spawn(PROGRAM, ["serve"], { env: this.env, cwd: this.dir, stdio: ["ignore", "ignore", "pipe"] });
    const { stderr } = this.child;
    await new Promise<void>((ready, fail) => {
      let log = "";
      stderr?.on("data", (bytes: Buffer) => {
        log += bytes.toString();
        if (log.includes("serving http://")) ready();
      });
      this.child?.once("exit", () => fail(new Error(`the host ended: ${log}`)));
    });
  }

  private get file() {
    return join(this.dir, "aiagent.toml");
  }

  private get env() {
    return { PATH: process.env.PATH, HOME: this.dir, AIAGENT_CONFIG: this.file };
  }

  /** What a command of the same program says, with this host's configuration. */
  command(...args: string[]): string {
    return execFileSync(PROGRAM, args, { env: this.env, cwd: this.dir, encoding: "utf8" });
  }

  get pid(): number {
    return this.child!.pid!;
  }

  /** As `kill -9`: no time for last words. */
  async kill() {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
  }

  async stop() {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const pluginFile = (name: string) => join(TARGET, "plugins", `${name}.wasm`);

/** Answers from the recordings of the samples. */
export const REPLAY = `replay = "${join(ROOT, "host/samples/recordings")}"
[models.default]
model = "qwen2.5-coder-1.5b-instruct"
[pipelines.default]
candidates = 1
max_rounds = 4
fixer_settings = { approach = "afresh" }
[pipelines.short]
candidates = 1
max_rounds = 1
`;

export const ADD = {
  goal: "Write add.py with add(a, b) that returns the sum.",
  files: [{ path: "test_add.py", content: "from add import add\n\ndef test_sum():\n    assert add(2, 3) == 5\n" }],
  tests: ["test_add.py"],
};

export async function submit(host: Host, body: object): Promise<string> {
  const answer = await fetch(`${host.url}/api/v1/tasks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

/** Requests on their way at once. */
const AT_ONCE = 32;

export async function submitMany(host: Host, count: number, body: (n: number) => object) {
  let next = 0;
  const work = async () => {
    while (next < count) await submit(host, body(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** All events of a task that has ended, or those so far. */
export async function events(host: Host, id: string, within = 60_000): Promise<({ type: string; at: number; id: number } & Record<string, unknown>)[]> {
  const stop = new AbortController();
  const end = setTimeout(() => stop.abort(), within);
  const answer = await fetch(`${host.url}/api/v1/tasks/${id}/events`, { signal: stop.signal });
  let text = "";
  const quiet = () => setTimeout(() => stop.abort(), 1_000);
  let timer = quiet();
  try {
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      clearTimeout(timer);
      timer = quiet();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  clearTimeout(timer);
  clearTimeout(end);
  return [...text.matchAll(/^data: ?(\{.*\})$/gm)].map(([, json]) => JSON.parse(json!) as never);
}
