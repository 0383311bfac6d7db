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
    endpoint = schema["$defs"]["Endpoint"]
    endpoint["required"] = [name for name in endpoint.get("required", ()) if name != "url"]
    endpoint["anyOf"] = [{"required": ["url"]}, {"required": ["command"]}]
    _groups(schema["$defs"])
    include = schema["properties"]["include"]
    schema["properties"]["include"] = {"anyOf": [include["items"], {"type": "array", "items": include["items"]}]}
    return {"$schema": ID, "title": "nines.yaml", **{key: part for key, part in schema.items() if key != "title"}}


def _groups(definitions: dict[str, Any]) -> None:
    """A service is written as a group with a name: `all`, `any` or `at least K of`, whose members may be groups."""
    member = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Group"}]}
    members = {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": member}]}
    rules = {"all": members, "any": members}
    some = {"^at least [1-9][0-9]* of$": members}
    definitions["Group"] = {
        "type": "object",
        "description": "one rule: all (every member works), any (one works), at least K of (K work)",
        "properties": rules,
        "patternProperties": some,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    definitions["Service"]["properties"] |= rules
    definitions["Service"]["patternProperties"] = some
