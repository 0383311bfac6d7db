"""The JSON Schema of nines.yaml, for editors: made from the models that `load` uses."""

from __future__ import annotations

from typing import Any

from config.model import Config

ID = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Draft 2020-12. Point an editor at it, e.g. `# yaml-language-server: $schema=nines.schema.json`."""
    schema = Config.model_json_schema(by_alias=True, mode="validation")
    contract = schema["$defs"]["Contract"]
    contract["properties"]["service"] = {"type": "string", "description": "one service; several stand in services"}
    contract["required"] = [name for name in contract["required"] if name != "services"]
    contract["oneOf"] = [{"required": ["service"]}, {"required": ["services"]}]
    include = schema["properties"]["include"]
    schema["properties"]["include"] = {"anyOf": [include["items"], {"type": "array", "items": include["items"]}]}
    return {"$schema": ID, "title": "nines.yaml", **{key: part for key, part in schema.items() if key != "title"}}
