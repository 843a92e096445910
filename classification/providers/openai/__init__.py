"""Providers that speak OpenAI's chat completions: vLLM, Ollama, other vendors, or DashScope's
compatible mode.

Uses `requests` and our session instead of OpenAI's SDK, which would bring a second HTTP stack with
timeouts per read and connections that cannot be aborted from another thread.
"""
