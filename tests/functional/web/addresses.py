"""Addresses of the application, for each rule of `web.access`, filled in with what a small world has."""

from __future__ import annotations

from typing import Any

from tests.functional.web.world import OFFICES, OWN_DEPARTMENT, World

COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "withdraw": ("accepted", {"reason": "why"}),
    "take_out": ("collected", {"reason": "why"}),
    "damage": ("listed", {"reason": "why"}),
    "refuse": ("listed", {"reason": "why"}),
    "register": ("received", {"register_number": "1/26"}),
    "pass": ("registered", {}),
    "resolve": ("with_head", {"executor": "executor.alakol"}),
    "draft": ("with_executor", {"outcome": "assigned"}),
    "sign": ("for_signature", {}),
    "send_back": ("for_signature", {"reason": "why"}),
    "never_sent": ("missing", {"reason": "why"}),
    "lose": ("missing", {"reason": "why"}),
    "reroute": ("received", {"district": "ile", "reason": "why"}),
    "post": ("signed", {"postal_number": "RR123456785KZ"}),
    "slip": ("referred", {}),
    "explain": ("registered", {"reason": "why"}),
    "undo": ("collected", {}),
}
"""Command → the packet of the world that it is meant for, and the fields of its form."""

QUERIES = {
    "GET /api/v1/residence": "?q=Aqsu",
    "GET /papers/addresses.pdf": "?kind=centre",
    "GET /board/run": "?id={run}",
}


def address_of(key: str, made: World) -> str:
    """Return the address that the rule `key` is about."""
    _, _, path = key.partition(" ")
    return (path.replace(":path}", "}") + QUERIES.get(key, "")).format(**parts(key, made))


def parts(key: str, made: World) -> dict[str, object]:
    """Return what stands in the places of an address."""
    command = key.rpartition("/")[2].replace("-", "_")
    manifest = "open" if command == "seal" else "receiving"
    packet = COMMANDS[command][0] if command in COMMANDS else "received"
    if command == "return_slip":
        packet = "referred"
    of_manifest = "/manifests/" in key
    return {
        "number": made.manifests[manifest] if of_manifest else made.packets[packet],
        "packet": made.packets[packet],
        "paper": "bag_label" if of_manifest else "label",
        "fmt": "svg",
        "discrepancy": made.discrepancy,
        "run": made.run,
        "what": "waiting",
        "code": OFFICES[OWN_DEPARTMENT],
        "login": "executor.alakol",
        "status_code": made.status_code,
        "version": "any",
        "name": "style.css",
    }
