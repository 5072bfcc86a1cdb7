"""What the host calls."""

from logic import Failure, body
from model_adapter import error
from wit_world import exports
from wit_world.exports import model_adapter


class ModelAdapter(exports.ModelAdapter):
    def describe(self, settings):
        return model_adapter.Description("ollama-chat", model_adapter.Auth_None_(), "http://127.0.0.1:11434")

    def encode(self, request, settings):
        messages = [(message.role.name.lower(), message.content) for message in request.messages]
        options = {
            "temperature": request.temperature,
            "num_predict": request.max_tokens,
            "stop": request.stop,
            "seed": request.seed,
        }
        try:
            data = body(settings.model, messages, settings.stream, options, settings.extra)
        except Failure as failure:
            raise error(failure) from None
        return model_adapter.HttpRequest("/api/chat", [("content-type", "application/json")], data)
