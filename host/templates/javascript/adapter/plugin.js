import { Answer, body } from './logic.js';

class Decoder {
  constructor(status, headers, settings) {
    this.answer = new Answer(status, headers, settings.model);
  }

  push(bytes) {
    return this.answer.push(bytes).map((val) => ({ tag: 'text', val }));
  }

  finish() {
    return this.answer.finish();
  }
}

export const modelAdapter = {
  Decoder,

  describe() {
    return { name: 'ollama-chat', auth: { tag: 'none' }, defaultBaseUrl: 'http://127.0.0.1:11434' };
  },

  encode(request, settings) {
    const headers = [['content-type', 'application/json']];
    return { path: '/api/chat', headers, body: new TextEncoder().encode(body(request, settings)) };
  },
};
