"""Kubernetes' label selectors as users write them: ``matchLabels`` and ``matchExpressions``, all of which must hold."""

from __future__ import annotations

from typing import Any

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def problem(selector: dict[str, Any]) -> str:
    """What is wrong with a label selector, or an empty text."""
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(labels, dict) or not isinstance(expressions, list):
        return "matchLabels is a map, matchExpressions a list"
    for expression in expressions:
        if not isinstance(expression, dict) or not isinstance(expression.get("values") or [], list):
            return "an expression is a map of key, operator and a list of values"
        operator, values = expression.get("operator"), expression.get("values") or []
        if operator not in _OPERATORS:
            return f"{operator!r} is none of {', '.join(_OPERATORS)}"
        if bool(values) is not (operator in ("In", "NotIn")):
            return f"{operator} and its values do not fit"
    return ""


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether every part of a selector without a :func:`problem` holds; an empty one selects all."""
    wanted = {str(key): str(value) for key, value in (selector.get("matchLabels") or {}).items()}
    return wanted.items() <= labels.items() and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _holds(expression: dict[str, Any], labels: dict[str, str]) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
