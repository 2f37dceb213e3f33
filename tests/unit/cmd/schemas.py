# SPDX-License-Identifier: Apache-2.0

"""The JSON Schemas of what the commands print."""

from __future__ import annotations

import json
import pathlib
import typing as ty

import jsonschema

from nova_xen_sched import cmd

FOLDER = pathlib.Path(cmd.__file__).parent / 'schemas'


def check(command: str, found: ty.Any) -> None:
    """Hold what a command printed against its schema.

    :param command: "host-list".
    :raises jsonschema.ValidationError: if they differ.
    """
    schema = json.loads((FOLDER / (command + '.json')).read_text())
    # The jsonschema of nova 22 knows drafts up to 7.
    kind = jsonschema.validators.validator_for(
        schema, jsonschema.Draft7Validator
    )
    kind.check_schema(schema)
    kind(schema).validate(found)
