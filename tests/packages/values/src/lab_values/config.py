"""`<config>`: settings of an experiment that follow a JSON Schema, readable by SQL."""

import datajoint as dj
import jsonschema

SCHEMA = {
    "type": "object",
    "required": ["version", "settings"],
    "properties": {
        "version": {"type": "integer", "minimum": 1},
        "settings": {"type": "object", "properties": {"gain": {"type": "number", "exclusiveMinimum": 0}}},
    },
}


class ConfigCodec(dj.Codec):
    """A checked dict in a `json` column, never in a store."""

    name = "config"

    def get_dtype(self, is_store):
        if is_store:
            raise dj.DataJointError("<config> lives in the row: write it without @")
        return "json"

    def validate(self, value):
        try:
            jsonschema.validate(value, SCHEMA)
        except jsonschema.ValidationError as error:
            raise ValueError(f"{error.json_path}: breaks the rule '{error.validator}'") from None

    def encode(self, value, *, key=None, store_name=None):
        return value

    def decode(self, stored, *, key=None):
        return stored
