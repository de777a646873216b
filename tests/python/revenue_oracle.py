#!/usr/bin/env python3
"""Revenue by ad, computed a second time: the rules of the closed loop in plain Python, from its input files alone.

    revenue_oracle.py [--clicks F] [--webhooks F] [--crm F] [--ads F] [--hubspot-secret S]     print the numbers as JSON
    revenue_oracle.py ... --compare REPORT     compare with a `--json` report; exit 1 and name each difference
    revenue_oracle.py ... --explain            also the stage value and the match of each deal

It shares no code with the library and is written for reading: lists and loops, no index that could hide a rule.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import ipaddress
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Row = dict[str, Any]
Counts = dict[str, int]

DAY = 24 * 3600 * 1_000_000  # all times are whole microseconds since 1970
WINDOWS = {1: 30 * DAY, 2: 7 * DAY, 3: DAY}
FAMILIES = {"fbclid": "facebook", "gclid": "google", "gbraid": "google", "wbraid": "google"}
APPOINTMENT = {
    "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent",
}
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def micros(text: object) -> int:
    """Microseconds of an RFC 3339 time, or of a whole number of milliseconds."""
    if isinstance(text, str) and re.fullmatch(r"\d+", text):
        return int(text) * 1000
    parts = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", text if isinstance(text, str) else ""
    )
    if not parts:
        raise ValueError(f"{text!r} is not an RFC 3339 time")
    date, time, fraction, zone = parts.groups()
    whole = datetime.fromisoformat(f"{date}T{time}{'+00:00' if zone in 'Zz' else zone}")
    return (whole - EPOCH) // timedelta(microseconds=1) + int(((fraction or "") + "000000")[:6])


# Addresses that many networks have at once: evidence of none.
SHARED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
    )
]


def network(address: Any) -> str | None:
    """An IPv4 address itself, an IPv6 address's /64, None for anything else and for addresses that are shared."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip in shared for shared in SHARED):
        return None
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))


def parameters(url: str | None) -> dict[str, str]:
    """The first value of each query parameter, decoded once."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url or "").query, keep_blank_values=True):
        found.setdefault(name, value)
    return found


def click_ids(url: str | None) -> set[tuple[str, str]]:
    return {(FAMILIES[name], value) for name, value in parameters(url).items() if name in FAMILIES and value}


# ---------------------------------------------------------------------------------------------- clicks

def read_clicks(path: Path) -> tuple[list[Row], Counts]:
    counts = {"ingested": 0, "duplicates": 0, "rejected": 0}
    clicks: list[Row] = []
    seen: set[str] = set()
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            click = {
                "at": micros(row["ts"]), "ids": click_ids(text(row, "url")), "ad": text(row, "ad_id"),
                "ip": network(row.get("ip")), "agent": row.get("user_agent"), "language": row.get("accept_language") or "",
                "consent": row["consent"],
                "id": row.get("click_id") or hashlib.sha256(line.encode()).hexdigest(),
            }
            text(row, "adset_id")
            text(row, "campaign_id")
            if not isinstance(click["consent"], bool):
                raise TypeError("consent")
        except (ValueError, KeyError, TypeError, AttributeError):
            counts["rejected"] += 1
            continue
        if click["id"] in seen:
            counts["duplicates"] += 1
            continue
        seen.add(click["id"])
        counts["ingested"] += 1
        clicks.append(click)
    return clicks, counts


def text(row: Row, name: str) -> str:
    if not isinstance(row[name], str) or not row[name]:
        raise ValueError(name)
    return str(row[name])


# -------------------------------------------------------------------------------------------- webhooks

def verified(delivery: Row, secret: str) -> bool:
    headers = {name.lower(): value for name, value in delivery["headers"].items()}
    stamp = headers.get("x-hubspot-request-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,15}", stamp):
        return False
    if abs(micros(delivery["received_at"]) - int(stamp) * 1000) > 300 * 1_000_000:
        return False
    signed = delivery["method"] + delivery["url"] + delivery["body"] + stamp
    expected = base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, headers.get("x-hubspot-signature-v3", ""))


def integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(value)
    return int(value)


def read_webhooks(path: Path, secret: str) -> tuple[dict[tuple[Any, ...], Row], Counts]:
    counts = {"received": 0, "verified": 0, "rejected": 0, "events": 0, "duplicates": 0}
    events: dict[tuple[Any, ...], Row] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        counts["received"] += 1
        try:
            delivery = json.loads(line)
            accepted = verified(delivery, secret)
            batch = json.loads(delivery["body"]) if accepted else []
            accepted = accepted and isinstance(batch, list)
        except (ValueError, KeyError, TypeError, AttributeError):
            accepted = False
        counts["verified" if accepted else "rejected"] += 1
        for event in batch if accepted else []:
            try:
                key = (
                    integer(event["portalId"]), str(event["subscriptionType"]), integer(event["objectId"]),
                    event.get("propertyName"), integer(event["eventId"]), integer(event["occurredAt"]),
                    event.get("propertyValue"),
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            counts["duplicates" if key in events else "events"] += 1
            events.setdefault(key, event)
    return events, counts


def stages(events: dict[tuple[Any, ...], Row]) -> dict[str, Row]:
    """Each deal's first event time and the stage after all its events, in the order of time, event id and value."""
    deals: dict[str, list[tuple[int, int, str]]] = {}
    for (_, kind, deal, name, event_id, at, value), event in events.items():
        is_deal = kind == "deal.propertyChange" or kind == "object.propertyChange" and event.get("objectTypeId") == "0-3"
        if is_deal and name == "dealstage" and isinstance(value, str):
            deals.setdefault(str(deal), []).append((at * 1000, event_id, value))
    return {deal: {"first": min(moves)[0], "stage": max(moves)[2]} for deal, moves in deals.items()}


def value_of(stage: str) -> int:
    if stage == "closedwon":
        return 500_000
    if stage == "closedlost":
        return 0
    return 150_000 if stage in APPOINTMENT else 50_000


# --------------------------------------------------------------------------------------------- matching

def facebook_id(stored: str) -> str:
    """A click id as the CRM keeps it: plain, or the fourth part of the browser's fbc cookie."""
    cookie = re.fullmatch(r"fb\.\d+\.\d+\.([^.]+)(?:\..*)?", stored)
    return cookie.group(1) if cookie else stored


def match(deal: Row, at: int, crm: Row, clicks: list[Row], ads: list[str]) -> tuple[int | None, str | None]:
    """(layer, ad) of the click behind a deal; (None, None) when there is none."""
    contacts = [crm["contacts"][c]["properties"] for c in deal.get("contacts", []) if c in crm["contacts"]]
    ids: set[tuple[str, str]] = set()
    contents: set[str] = set()
    full: set[tuple[str, str, str]] = set()
    partial: set[tuple[str, str]] = set()
    for contact in contacts:
        first_url = contact.get("hs_analytics_first_url")
        ids |= click_ids(first_url)
        if contact.get("hs_facebook_click_id"):
            ids.add(("facebook", facebook_id(contact["hs_facebook_click_id"])))
        if contact.get("hs_google_click_id"):
            ids.add(("google", contact["hs_google_click_id"]))
        if parameters(first_url).get("utm_content") in ads:
            contents.add(parameters(first_url)["utm_content"])
        ip, agent = network(contact.get("xynergy_ip")), contact.get("xynergy_user_agent")
        if str(contact.get("xynergy_consent", "")).lower() == "true" and ip and agent:
            partial.add((ip, agent))
            full.add((ip, agent, contact.get("xynergy_accept_language") or ""))

    def agrees(click: Row, layer: int) -> bool:
        if layer == 1:
            return bool(click["ids"] & ids)
        if not click["consent"] or not click["ip"] or not click["agent"]:
            return False
        if layer == 2:
            return (click["ip"], click["agent"], click["language"]) in full
        return (click["ip"], click["agent"]) in partial

    for layer in (1, 2, 3):
        found = [c for c in clicks if 0 <= at - c["at"] <= WINDOWS[layer] and agrees(c, layer)]
        if found:
            latest = max(c["at"] for c in found)
            return layer, min((c["id"], c["ad"]) for c in found if c["at"] == latest)[1]
        if layer == 1 and contents:
            return 1, min(contents)
    return None, None


def created(deal: Row, fallback: int) -> int:
    try:
        return micros(deal["properties"]["createdate"])
    except (KeyError, ValueError, TypeError):
        return fallback


def compute(options: argparse.Namespace) -> tuple[Row, dict[str, Row]]:
    clicks, click_counts = read_clicks(options.clicks)
    events, webhook_counts = read_webhooks(options.webhooks, options.hubspot_secret)
    crm = json.loads(options.crm.read_text(encoding="utf-8"))
    ads = sorted({row["ad_id"] for row in json.loads(options.ads.read_text(encoding="utf-8"))["ads"]})
    matches = {"layer1": 0, "layer2": 0, "layer3": 0, "none": 0}
    by_ad = dict.fromkeys([*ads, "unattributed"], 0)
    deals = {}
    for deal_id, deal in sorted(stages(events).items()):
        row = crm["deals"].get(deal_id)
        layer, ad = match(row, created(row, deal["first"]), crm, clicks, ads) if row else (None, None)
        matches[f"layer{layer}" if layer else "none"] += 1
        value = value_of(deal["stage"])
        by_ad[ad or "unattributed"] = by_ad.get(ad or "unattributed", 0) + value
        deals[deal_id] = {"stage": deal["stage"], "value_minor": value, "layer": layer, "ad_id": ad}
    answer = {
        "clicks": click_counts,
        "webhooks": webhook_counts,
        "matches": matches,
        "revenue": {"total_minor": sum(by_ad.values()), "by_ad": by_ad},
    }
    return answer, deals


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(key), found.get(key), f"{path}.{key}" if path else key)
    elif expected != found or type(expected) is not type(found):
        yield f"{path}: the rules give {expected!r}, the report has {found!r}"


def main() -> int:
    data = Path(__file__).resolve().parents[2] / "examples" / "data"
    parser = argparse.ArgumentParser(description="Compute revenue by ad a second time.")
    parser.add_argument("--clicks", type=Path, default=data / "clicks.ndjson")
    parser.add_argument("--webhooks", type=Path, default=data / "webhooks.ndjson")
    parser.add_argument("--crm", type=Path, default=data / "crm.json")
    parser.add_argument("--ads", type=Path, default=data / "ads.json")
    parser.add_argument("--hubspot-secret", default="sandbox-client-secret")
    parser.add_argument("--compare", type=Path, metavar="REPORT")
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    answer, deals = compute(options)
    if options.compare:
        report = json.loads(options.compare.read_text(encoding="utf-8"))
        found = list(differences(answer, {key: report.get(key) for key in answer}))
        for line in found:
            print(line, file=sys.stderr)
        return 1 if found else 0
    print(json.dumps({**answer, "deals": deals} if options.explain else answer, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
