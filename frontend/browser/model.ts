import { createServer, type Server, type ServerResponse } from "node:http";

/** A model's server whose answers are written word by word, when the test says so. */
export class Model {
  private readonly waiting: ServerResponse[] = [];
  private readonly wanted: ((response: ServerResponse) => void)[] = [];
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Model> {
    const server = createServer();
    const model = new Model(server);
    server.on("request", (request, response) => {
      request.resume();
      request.on("end", () => {
        const next = model.wanted.shift();
        if (next) next(response);
        else model.waiting.push(response);
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return model;
  }

  get config() {
    return `${this.named("default")}[pipelines.default]
candidates = 1
max_rounds = 2
`;
  }

  /** The configuration of a model that asks here. */
  named(name: string): string {
    const { port } = this.server.address() as { port: number };
    return `[models.${name}]
base_url = "http://127.0.0.1:${port}/v1"
model = "scripted"
context_window = 1000000
allow = ["127.0.0.1"]
`;
  }

  /** The next request, as something to write the answer to. */
  async asked(): Promise<Answer> {
    const response = this.waiting.shift() ?? (await new Promise<ServerResponse>((take) => this.wanted.push(take)));
    return new Answer(response);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export class Answer {
  constructor(private readonly response: ServerResponse) {}

  /** As a server that does not know the model. */
  refuses() {
    this.response.writeHead(404, { "content-type": "application/json" });
    this.response.end('{"error":{"message":"no such model"}}');
  }

  says(content: string) {
    this.send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  }

  ends() {
    this.send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: { prompt_tokens: 9, completion_tokens: 5 } });
    this.response.end("data: [DONE]\n\n");
  }

  private send(chunk: object) {
    if (!this.response.headersSent) this.response.writeHead(200, { "content-type": "text/event-stream" });
    this.response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "scripted", ...chunk })}\n\n`);
  }
}
