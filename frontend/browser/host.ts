import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  private readonly dir = mkdtempSync(join(tmpdir(), "aiagent-page-"));
  url = "";

  private constructor(private readonly config: string) {}

  static async start(config: string): Promise<Host> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: make build`);
    const host = new Host(config);
    host.url = `http://127.0.0.1:${await freePort()}`;
    await host.up();
    return host;
  }

  async up() {
    const file = join(this.dir, "aiagent.toml");
    writeFileSync(
      file,
      `listen = "${this.url.replace("http://", "")}"
plugins_dir = ["${join(TARGET, "plugins")}"]
state_dir = "${join(this.dir, "state")}"
cache_dir = "${join(TARGET, "tmp/compiled")}"
worker.lease_s = 3
${this.config}`,
    );
    const env = { PATH: process.env.PATH, HOME: this.dir, AIAGENT_CONFIG: file };
    this.child = spawn(PROGRAM, ["serve"], { env, cwd: this.dir, stdio: ["ignore", "ignore", "pipe"] });
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
