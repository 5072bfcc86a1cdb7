import json
import pathlib
import unittest

from logic import Answer, Failure, body

RECORDED = pathlib.Path(__file__).with_name("answer.ndjson").read_bytes()


class Logic(unittest.TestCase):
    def test_a_request_is_what_ollama_documents(self):
        options = {"temperature": None, "num_predict": 5, "stop": [], "seed": 7}
        encoded = body("qwen", [("user", "hi")], True, options, [("num_ctx", "4096")])
        messages = [{"role": "user", "content": "hi"}]
        options = {"num_predict": 5, "seed": 7, "num_ctx": 4096}
        self.assertEqual(json.loads(encoded), {"model": "qwen", "messages": messages, "stream": True, "options": options})
        with self.assertRaises(Failure):
            body("qwen", [], True, {}, [("num_ctx", "many")])

    def test_an_answer_is_the_same_wherever_it_is_cut(self):
        for cut in range(len(RECORDED) + 1):
            answer = Answer(200, [])
            pieces = answer.push(RECORDED[:cut]) + answer.push(RECORDED[cut:])
            last = answer.finish()
            self.assertEqual((answer.text, "".join(pieces)), ("Grüße!\n", "Grüße!\n"))
            self.assertEqual((last["done_reason"], last["eval_count"]), ("stop", 4))

    def test_what_goes_wrong_has_a_type(self):
        for status, headers, text, case, detail in [
            (404, [], '{"error":"no such model"}', "InvalidRequest", "404: no such model"),
            (429, [("retry-after", "2")], "", "RateLimited", 2000),
            (503, [], "<html>", "Overloaded", None),
            (200, [], '{"message":{"content":"a"},"done":false}\n', "Malformed", "the answer ends before its last message"),
            (200, [], "hello", "Malformed", "not a message: hello"),
            (200, [], "[" * 100_000, "Malformed", "not a message: " + "[" * 200),
        ]:
            answer = Answer(status, headers)
            answer.push(text.encode())
            with self.assertRaises(Failure) as raised:
                answer.finish()
            self.assertEqual((raised.exception.case, raised.exception.detail), (case, detail))
