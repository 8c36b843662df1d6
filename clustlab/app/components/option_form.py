"""A form made from an option declaration: symbol, name, unit, bounds, help and default of each option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from clustlab.app.state import option_key

__all__ = ["reset", "show"]


def show(owner: str, properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Show a widget for each option and return the values that differ from their defaults.

    Parameters
    ----------
    owner : str
        Method, extension or part of the spec that the options belong to.
    properties : mapping of name to JSON schema
        As ``clustlab.catalog`` describes them; those marked as advanced come last.
    """
    shown = dict(sorted(properties.items(), key=lambda item: bool(item[1].get("advanced"))))
    values = {name: _widget(option_key(owner, name), name, schema) for name, schema in shown.items()}
    return {name: value for name, value in values.items() if value is not None and value != shown[name]["default"]}


def reset(owner: str, properties: Mapping[str, Mapping[str, Any]]) -> None:
    """Put all options of an owner back to their defaults; for use as a callback."""
    for name, schema in properties.items():
        st.session_state[option_key(owner, name)] = schema["default"]


def _widget(key: str, name: str, schema: Mapping[str, Any]) -> Any:
    st.session_state.setdefault(key, schema["default"])
    label, help_text = _label(name, schema), _help(schema)
    if "enum" in schema:
        return st.selectbox(label, schema["enum"], key=key, help=help_text)
    match schema["type"]:
        case "boolean":
            return st.checkbox(label, key=key, help=help_text)
        case "integer":
            low, high = schema.get("minimum"), schema.get("maximum")
            return st.number_input(label, low, high, step=1, key=key, help=help_text)
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum"))
            high = schema.get("maximum")
            return st.number_input(
                label,
                None if low is None else float(low),
                None if high is None else float(high),
                step=float(schema["default"]) / 10 or 0.01,
                format="%g",
                key=key,
                help=help_text,
            )
        case _:
            return st.text_input(label, key=key, help=help_text)


def _label(name: str, schema: Mapping[str, Any]) -> str:
    words = name.replace("_", " ")
    symbol = f"${schema['symbol']}$  " if "symbol" in schema else ""
    unit = f" ({schema['unit']})" if "unit" in schema else ""
    return f"{symbol}{words}{unit}"


def _help(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    parts = [schema.get("description", "")]
    if "exclusiveMinimum" in schema:
        parts.append(f"Greater than {schema['exclusiveMinimum']:g}" + ("." if high is None else f", at most {high:g}."))
    elif low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}.")
    parts.append(f"Default: {schema['default']}.")
    return " ".join(part for part in parts if part)
