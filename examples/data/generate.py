#!/usr/bin/env python3
"""Writes the example's world: clicks.ndjson, webhooks.ndjson, crm.json, ads.json and faults.json.

The same options give the same bytes on every machine and every Python from 3.9: randomness is only the Mersenne
Twister's `random()`, arithmetic is on integers or exact products, and no set or hash order reaches a file.

    python3 generate.py                 write the five files beside this script
    python3 generate.py --check         compare them instead; exit 1 when one differs
    python3 generate.py --seed 8 --clicks 50000 --deals 3000 --out DIR      another world
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
Row = dict[str, Any]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_772_323_200_000  # 2026-03-01T00:00:00Z
END = START + 30 * DAY + 18 * HOUR  # 2026-03-31T18:00:00Z: the newest time of the world

SECRET = "sandbox-client-secret"
WEBHOOK_URL = "https://shop.example/webhooks/hubspot"
PORTAL, APP, SUBSCRIPTION = 48201177, 1190451, 2870033
LEAD_STAGE = "1043267811"  # a custom stage: its id is a number, and it counts as a lead
STAGES = [
    LEAD_STAGE,
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
]


class Ad(NamedTuple):
    """An ad, and how good it really is."""

    ad_id: str
    adset_id: str
    name: str
    status: str
    spend_percent: int  # of its owner's spend
    cents_a_click: int
    click_rate: int  # clicks in 100,000 impressions
    deal_rate: int  # deals in 1,000 clicks
    win_percent: int  # of the deals that come to a decision


SPRING, ALWAYS_ON, LAUNCH = "120210000000000001", "120210000000000002", "120210000000000003"
# Owner, level, campaign, daily budget in cents, ads.
OWNERS: list[tuple[str, str, str, int, list[Ad]]] = [
    ("120210000000000011", "adset", SPRING, 6_000, [
        Ad("120210000000000101", "120210000000000011", "Spring sale – video A", "ACTIVE", 60, 230, 1_900, 150, 62),
        Ad("120210000000000102", "120210000000000011", "Spring sale – carousel", "ACTIVE", 40, 250, 1_350, 90, 48),
    ]),
    ("120210000000000012", "adset", SPRING, 12_000, [
        Ad("120210000000000103", "120210000000000012", "Spring sale – image, blue", "ACTIVE", 55, 215, 1_050, 28, 25),
        Ad("120210000000000104", "120210000000000012", "Spring sale – image, red", "ACTIVE", 45, 205, 1_120, 22, 22),
    ]),
    ("120210000000000013", "adset", SPRING, 6_000, [
        Ad("120210000000000105", "120210000000000013", "Spring sale – customer story", "ACTIVE", 100, 270, 1_500, 135, 55),
    ]),
    ("120210000000000021", "adset", ALWAYS_ON, 4_500, [
        Ad("120210000000000106", "120210000000000021", "Always on – free consultation", "ACTIVE", 80, 260, 1_700, 190, 66),
        Ad("120210000000000107", "120210000000000021", "Always on – banner of last year", "PAUSED", 20, 310, 700, 40, 30),
    ]),
    ("120210000000000022", "adset", ALWAYS_ON, 9_000, [
        Ad("120210000000000108", "120210000000000022", "Always on – price comparison", "ACTIVE", 100, 240, 1_250, 40, 34),
    ]),
    ("120210000000000023", "adset", ALWAYS_ON, 3_500, [
        Ad("120210000000000109", "120210000000000023", "Always on – quiz", "ACTIVE", 100, 170, 2_600, 14, 20),
    ]),
    (LAUNCH, "campaign", LAUNCH, 11_000, [
        Ad("120210000000000110", "120210000000000031", "Launch – founder video", "ACTIVE", 45, 280, 1_600, 105, 52),
        Ad("120210000000000111", "120210000000000031", "Launch – product tour", "ACTIVE", 30, 265, 1_450, 70, 44),
        Ad("120210000000000112", "120210000000000032", "Launch – testimonial reel", "ACTIVE", 25, 255, 1_550, 95, 50),
    ]),
]
CONSTRAINTS = {"total_daily_minor": 52_000, "min_minor": 1_000, "max_minor": 30_000}
CAMPAIGN_NAMES = {SPRING: "spring_sale", ALWAYS_ON: "always_on", LAUNCH: "launch"}

FAULTS = {
    "rules": [
        # The ad set with the largest cut is throttled at its first write.
        {"method": "POST", "path": "/v*/120210000000000012", "nth": 1,
         "fault": {"graph_error": {"code": 17, "subcode": 2446079, "regain_minutes": 5}}},
        # The first write of the campaign's budget takes effect, and its reply is lost.
        {"method": "POST", "path": "/v*/120210000000000003", "nth": 1, "fault": {"cut": "after"}},
        # A colleague raises an ad set by 8 % after the budgets were read and before its own change is sent: cuts go first.
        {"method": "POST", "path": "/v*/120210000000000022", "nth": 1,
         "fault": {"edit": {"id": "120210000000000013", "daily_budget_percent": 8}}},
    ]
}

ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} Safari/605.1.15"
PHONES = [ANDROID.format(v) for v in range(136, 146)] + [IPHONE.format(v) for v in ("17_6", "18_2", "18_3_1", "18_4")]
DESKTOPS = [WINDOWS.format(v) for v in range(138, 146)] + [MAC.format(v) for v in ("17.6", "18.1", "18.3")]
LANGUAGES = ["en-US,en;q=0.9", "en-GB,en;q=0.8", "es-US,es;q=0.9,en;q=0.7", "de-DE,de;q=0.9,en;q=0.6", "fr-FR,fr;q=0.9"]
FIRST_NAMES = ["Ada", "Ben", "Chloe", "Dev", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Liam", "Mei", "Noor"]
LAST_NAMES = ["Adams", "Brandt", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haas", "Ito", "Jensen", "Kaya", "Lopez"]


class Rng:
    """Draws that depend on nothing but the Mersenne Twister's 53-bit uniform, which every Python shares."""

    def __init__(self, seed: int, stream: str) -> None:
        self._random = random.Random(f"{seed}:{stream}").random

    def unit(self) -> float:
        return self._random()

    def below(self, bound: int) -> int:
        return int(self._random() * bound)

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self._random() * 100 < percent

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def weighted(self, pairs: Sequence[tuple[T, int]]) -> T:
        """An item by its integer weight."""
        point = self.below(sum(weight for _, weight in pairs))
        for item, weight in pairs:
            point -= weight
            if point < 0:
                return item
        raise AssertionError("weights are positive")

    def hexadecimal(self, digits: int) -> str:
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))

    def token(self, length: int) -> str:
        return "".join(
            self.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") for _ in range(length)
        )

    def shuffle(self, items: list[T]) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def rfc3339(millis: int) -> str:
    seconds, part = divmod(millis, 1_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{part:03d}Z" if part else f"{text}Z"


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def ad_rows() -> list[tuple[Ad, str]]:
    """Each ad with its owner's campaign."""
    return [(ad, campaign) for _, _, campaign, _, ads in OWNERS for ad in ads]


class People:
    """Who clicks: homes, offices, carrier NAT; most agree to be recognised, some do not."""

    def __init__(self, rng: Rng, clicks: int) -> None:
        self.rng = rng
        self.home_blocks = ["192.0.2.", "198.51.100."]
        self.offices = [
            {"ip": f"203.0.113.{10 + n}", "agent": rng.pick(DESKTOPS), "language": rng.pick(LANGUAGES)} for n in range(14)
        ]
        gates = max(12, clicks // 400)
        self.gates = [f"198.{18 + n % 2}.{rng.below(256)}.{rng.between(1, 254)}" for n in range(gates)]
        self.homes = 0
        self.known: list[Row] = []

    def anyone(self) -> Row:
        """A new person, or one who clicked before."""
        if self.known and self.rng.chance(28):
            return self.rng.pick(self.known)
        person = self.newcomer()
        self.known.append(person)
        return person

    def newcomer(self) -> Row:
        rng = self.rng
        person: Row = {
            "kind": rng.weighted([("home6", 52), ("home4", 14), ("office", 14), ("carrier", 20)]),
            "agent": rng.pick(PHONES if rng.chance(68) else DESKTOPS),
            "language": None if rng.chance(4) else rng.pick(LANGUAGES),
            "consent": rng.chance(80),
        }
        if person["kind"] == "home6":
            self.homes += 1
            person["prefix"] = f"2001:db8:{self.homes // 4096 + 16:x}:{self.homes % 4096 * 16 + rng.below(16):x}"
        elif person["kind"] == "home4":
            # Two or three people, or two tenants of one dynamic address, share it.
            person["ip"] = f"{rng.pick(self.home_blocks)}{rng.between(1, 254)}"
        elif person["kind"] == "office":
            office = rng.pick(self.offices)
            person["ip"] = office["ip"]
            if rng.chance(45):  # the company's standard laptop
                person["agent"], person["language"] = office["agent"], office["language"]
        else:
            person["ip"] = rng.pick(self.gates)
            person["agent"] = rng.pick(PHONES)
        return person

    def address(self, person: Row) -> str:
        """The person's address now: an IPv6 host part changes from visit to visit."""
        if person["kind"] != "home6":
            return str(person["ip"])
        return str(person["prefix"]) + "".join(f":{self.rng.between(1, 0xFFFF):x}" for _ in range(4))


class Clicks:
    """Ad clicks of 30 days, and the lines of `clicks.ndjson`."""

    def __init__(self, seed: int, count: int) -> None:
        self.rng = Rng(seed, "clicks")
        self.people = People(Rng(seed, "people"), count)
        self.weights: list[tuple[tuple[Ad, str], int]] = []
        for _, _, campaign, budget, ads in OWNERS:
            for ad in ads:
                self.weights.append(((ad, campaign), budget * ad.spend_percent * 100 // ad.cents_a_click))
        self.clicks = sorted((self.click(self.moment()) for _ in range(count)), key=lambda c: c["at"])
        self.twins(min(4, count // 1_000))
        self.lines = self.write()

    def moment(self) -> int:
        """A time of the month: three clicks in four between 08:00 and 22:00."""
        at = START + self.rng.below(END - 5 * MINUTE - START) // SECOND * SECOND
        if self.rng.chance(75) and not 8 * HOUR <= at % DAY < 22 * HOUR:
            at = at - at % DAY + 8 * HOUR + at % (14 * HOUR) // SECOND * SECOND
        return min(at, END - 5 * MINUTE)

    def click(self, at: int, ad: tuple[Ad, str] | None = None, person: Row | None = None) -> Row:
        rng = self.rng
        shown_ad, campaign = ad or rng.weighted(self.weights)
        person = person or self.people.anyone()
        ids = {}
        if rng.chance(88):
            ids["fbclid"] = "IwAR" + rng.token(23)
        elif rng.chance(35):
            ids[rng.weighted([("gclid", 6), ("wbraid", 1)])] = "Cj0KCQ" + rng.token(20)
        source = "facebook" if "fbclid" in ids or not ids else "google"
        # A few redirectors escape what needs no escape: an id is percent-decoded once, and its case kept.
        shown = {k: v.replace("_", "%5F") if rng.chance(10) else v for k, v in ids.items()}
        query = "".join(f"{name}={value}&" for name, value in shown.items())
        return {
            "at": at,
            "ad": shown_ad,
            "campaign": campaign,
            "person": person,
            "ids": ids,
            "url": f"https://shop.example/p?{query}utm_source={source}&utm_medium=paid"
            f"&utm_campaign={CAMPAIGN_NAMES[campaign]}&utm_content={shown_ad.ad_id}",
            "ip": self.people.address(person),
            "click_id": None if rng.chance(12) else "clk_" + rng.hexadecimal(10),
        }

    def twins(self, pairs: int) -> None:
        """Two colleagues with the same laptop click different ads in the same second: the smallest id decides."""
        office = self.people.offices[0]
        for n in range(pairs):
            person = {"kind": "office", "ip": office["ip"], "agent": MAC.format(f"19.{n}"), "language": LANGUAGES[0],
                      "consent": True, "twin": True}
            at = START + (6 + 4 * n) * DAY + 10 * HOUR
            for ad in (ad_rows()[2], ad_rows()[5]):
                click = self.click(at, ad, person)
                click["click_id"] = "clk_" + self.rng.hexadecimal(10)
                self.clicks.append(click)
        self.clicks.sort(key=lambda c: c["at"])

    def line(self, click: Row) -> Row:
        ad, person = click["ad"], click["person"]
        row = {
            "ts": rfc3339(click["at"]),
            "url": click["url"],
            "ad_id": ad.ad_id,
            "adset_id": ad.adset_id,
            "campaign_id": click["campaign"],
            "ip": click["ip"],
            "user_agent": person["agent"],
        }
        if person["language"]:
            row["accept_language"] = person["language"]
        row["consent"] = person["consent"]
        if click["click_id"]:
            row["click_id"] = click["click_id"]
        return row

    def write(self) -> list[str]:
        rng = self.rng
        rows = [self.line(click) for click in self.clicks]
        lines = [compact(row) for row in rows]
        for _ in range(len(rows) // 100):  # a browser or a queue sends a click twice
            lines.insert(rng.below(len(lines)), lines[rng.below(len(lines))])
        for _ in range(len(lines) // 50):  # and a collector writes some late
            lines.insert(min(len(lines), rng.below(len(lines)) + 40), lines.pop(rng.below(len(lines))))
        nameless = {k: v for k, v in rows[-1].items() if k not in ("ad_id", "click_id")}
        timeless = {**rows[-2], "ts": "yesterday", "click_id": "clk_bad_time"}
        broken = [lines[0][: len(lines[0]) // 2], compact(nameless), compact(timeless)]
        for n, line in enumerate(broken):
            lines.insert((n + 1) * len(lines) // 4, line)
        return lines

    def of_ad(self, ad_id: str) -> int:
        return sum(1 for click in self.clicks if click["ad"].ad_id == ad_id)


class Deals:
    """Deals, their contacts and their stage events."""

    KINDS = (("click_id", 22), ("fbc", 17), ("first_url", 13), ("lost_click", 5), ("fingerprint", 22), ("device", 10),
             ("no_consent", 4), ("nothing", 7))

    def __init__(self, seed: int, count: int, clicks: Clicks) -> None:
        self.rng = Rng(seed, "deals")
        self.people = clicks.people
        self.events: list[Row] = []
        self.deals: dict[str, Row] = {}
        self.contacts: dict[str, Row] = {}
        self.next_contact = 5_100_000_001
        chosen = self.choose(count, clicks.clicks)
        edges = self.edges(clicks.clicks, {id(click) for click in chosen})
        twins = [click for click in clicks.clicks if click["person"].get("twin")][::2]
        special = (edges + [("fingerprint", click, click["at"] + 2 * DAY) for click in twins])[: count // 4]
        plans: list[tuple[str | None, Row, int | None]] = [*special] + [(None, click, None) for click in chosen[: count - len(special)]]
        self.absent = {n for n in range(len(plans)) if n % 61 == 30}  # deals that the CRM does not know
        for number, (kind, click, created) in enumerate(plans):
            self.deal(number, kind, click, created)
        self.silent_deals()

    def choose(self, count: int, clicks: list[Row]) -> list[Row]:
        """The clicks behind deals: by each ad's own rate, one of a person."""
        pool = [click for click in clicks if click["at"] < END - 3 * DAY and not click["person"].get("twin")]
        self.rng.shuffle(pool)
        chosen: list[Row] = []
        seen: set[int] = set()
        for _ in range(200):
            for click in pool:
                if len(chosen) == count:
                    return chosen
                if id(click["person"]) not in seen and self.rng.below(1_000) < click["ad"].deal_rate:
                    seen.add(id(click["person"]))
                    chosen.append(click)
        raise SystemExit(f"--deals: {count} deals need more people than --clicks gives; ask for fewer deals or more clicks")

    def edges(self, clicks: list[Row], taken: set[int]) -> list[tuple[str, Row, int]]:
        """Deals exactly at the end of a window, and a millisecond beyond it."""
        per_person: dict[int, int] = {}
        for click in clicks:
            per_person[id(click["person"])] = per_person.get(id(click["person"]), 0) + 1
        alone = [
            c for c in clicks
            if per_person[id(c["person"])] == 1 and id(c) not in taken and c["person"]["consent"]
            and c["person"]["language"] and c["person"]["kind"] == "home6" and "fbclid" in c["ids"]
        ]
        found: list[tuple[str, Row, int]] = []
        for kind, window in (("edge_click_id", 30 * DAY), ("fingerprint", 7 * DAY), ("device", DAY)):
            fitting = [c for c in alone if c["at"] + window < END - 2 * HOUR][:3]
            alone = [c for c in alone if c not in fitting]
            found += [(kind, c, c["at"] + window + beyond) for c, beyond in zip(fitting, (0, 1, -1))]
        return found

    def deal(self, number: int, kind: str | None, click: Row, created: int | None) -> None:
        rng = self.rng
        kind = kind or rng.weighted(self.KINDS)
        if created is None:
            longest = {"fingerprint": 8 * DAY, "no_consent": 6 * DAY, "device": DAY + 3 * HOUR}.get(kind, 22 * DAY)
            delay = 3 * MINUTE + int(rng.unit() * rng.unit() * longest)
            created = min(click["at"] + delay, END - 5 * HOUR)
        deal_id = str(17_845_000_000 + number * 37)
        if number in (90, 91):  # integers that a 64-bit float cannot tell apart
            deal_id = str(9_007_199_254_740_992 + number - 90)
        path = self.walk(deal_id, click["ad"], created)
        contacts = [self.contact(kind, click, created)]
        if rng.chance(13):
            contacts.insert(rng.below(2), self.colleague(created))
        properties = {
            "dealname": f"Deal {number + 1}",
            "pipeline": "default",
            "dealstage": path[-1][1],
            "amount": f"{rng.between(8, 90) * 100}.00",
            "deal_currency_code": "USD",
            "createdate": rfc3339(created),
        }
        if kind in ("click_id", "fbc", "first_url") and rng.chance(6):
            del properties["createdate"]  # then the deal's first event is its time
        elif rng.chance(12):
            self.event("deal", deal_id, created + rng.below(DAY), "amount", properties["amount"])
        if number not in self.absent:
            self.deals[deal_id] = {"properties": properties, "contacts": contacts}

    def walk(self, deal_id: str, ad: Ad, created: int) -> list[tuple[int, str]]:
        """The deal's way through the pipeline: forwards, skipping, back, lost, reopened."""
        rng = self.rng
        at, level = created, 0 if rng.chance(60) else 1
        stage = STAGES[level]
        path: list[tuple[int, str]] = []
        while True:
            path.append((at, stage))
            self.event("deal", deal_id, at, "dealstage", stage)
            at += 20 * MINUTE + int(rng.unit() * rng.unit() * 5 * DAY)
            if at > END - HOUR or rng.chance(5):
                break
            if stage in ("closedwon", "closedlost"):
                if not rng.chance(14):
                    break
                level = rng.between(1, 4)  # reopened
                stage = STAGES[level]
            elif level == len(STAGES) - 1 or level >= 2 and rng.chance(22):
                stage = "closedwon" if rng.chance(ad.win_percent) else "closedlost"
            else:
                step = rng.weighted([(1, 74), (2, 10), (-1, 16 if level > 1 else 0)])
                level = max(0, min(level + step, len(STAGES) - 1))
                stage = STAGES[level]
        at = path[-1][0]
        if rng.chance(3):
            # Two changes in one millisecond: the greater event id, as an integer, is the later one.
            self.event("deal", deal_id, at, "dealstage", "qualifiedtobuy", event_id=rng.between(1, 99) * 10_000_000 + 7)
        elif rng.chance(1):
            # The platform does not promise unique event ids: then the greater value is the later one.
            self.event("deal", deal_id, at, "dealstage", "closedlost", event_id=self.events[-1]["eventId"])
        return path

    def contact(self, kind: str, click: Row, created: int) -> str:
        """What the CRM knows of the person: click ids, a first URL, or only what the form's page saw."""
        rng, person, ids = self.rng, click["person"], click["ids"]
        properties = {}
        fbclid = ids.get("fbclid")
        google = ids.get("gclid")
        if kind in ("click_id", "edge_click_id", "fbc") and not (fbclid or google):
            kind = "first_url"
        if kind in ("click_id", "edge_click_id") and fbclid:
            properties["hs_facebook_click_id"] = fbclid
        elif kind == "fbc" and fbclid:
            appendix = ".AQQCAQMC" if rng.chance(15) else ""  # newer pixels append a fifth segment
            properties["hs_facebook_click_id"] = f"fb.1.{click['at'] + rng.below(900)}.{fbclid}{appendix}"
        elif google and kind in ("click_id", "fbc"):
            properties["hs_google_click_id"] = google
        elif kind == "first_url":
            properties["hs_analytics_first_url"] = click["url"]
        elif kind == "lost_click":
            content = click["ad"].ad_id if rng.chance(85) else "newsletter_12"
            properties["hs_analytics_first_url"] = (
                f"https://shop.example/p?fbclid=IwAR{rng.token(23)}&utm_source=facebook&utm_content={content}"
            )
        if kind in ("fingerprint", "device", "no_consent") or kind in ("click_id", "fbc", "lost_click") and rng.chance(35):
            properties.update(self.seen_by_the_page(kind, person))
        return self.store(properties, created)

    def seen_by_the_page(self, kind: str, person: Row) -> dict[str, str]:
        rng = self.rng
        properties = {"xynergy_ip": self.people.address(person), "xynergy_user_agent": person["agent"]}
        if kind == "device" or person["language"] is None:
            # Another language than at the click (or one where the click had none): only address and agent are left.
            if person["language"] is None or rng.chance(60):
                properties["xynergy_accept_language"] = "it-IT,it;q=0.9"
        else:
            properties["xynergy_accept_language"] = person["language"]
        if kind == "no_consent":
            if rng.chance(50):
                properties["xynergy_consent"] = "false"
        else:
            # Some agree on the form who did not at the click: both must.
            properties["xynergy_consent"] = "true" if person["consent"] or rng.chance(40) else "false"
        return properties

    def colleague(self, created: int) -> str:
        """A second contact of a deal, about whom little is known."""
        rng = self.rng
        if rng.chance(50):
            return self.store({"hs_analytics_first_url": "https://shop.example/pricing"}, created)
        person = self.people.newcomer()
        if person["language"] is None:
            person["language"] = LANGUAGES[0]
        return self.store(self.seen_by_the_page("fingerprint", person), created)

    def store(self, properties: dict[str, str], created: int) -> str:
        rng = self.rng
        contact_id = str(self.next_contact)
        self.next_contact += rng.between(1, 60)
        first, last = rng.pick(FIRST_NAMES), rng.pick(LAST_NAMES)
        self.contacts[contact_id] = {
            "properties": {
                "email": f"{first}.{last}.{contact_id[-5:]}@example.com".lower(),
                "firstname": first,
                "lastname": last,
                **properties,
            }
        }
        if rng.chance(30):
            self.event("contact", contact_id, created - rng.below(MINUTE), None, None)
        return contact_id

    def silent_deals(self) -> None:
        """Deals that the CRM has and no verified webhook ever named: they do not count."""
        for number in range(5):
            self.deals[str(17_990_000_000 + number)] = {
                "properties": {"dealname": f"Imported deal {number + 1}", "pipeline": "default", "dealstage": "closedwon",
                               "amount": "9900.00", "deal_currency_code": "USD", "createdate": rfc3339(START + number * DAY)},
                "contacts": [],
            }

    def event(
        self, kind: str, object_id: str, at: int, name: str | None, value: str | None, event_id: int | None = None
    ) -> None:
        rng = self.rng
        event = {
            "eventId": event_id or rng.between(100_000_000, 4_200_000_000),
            "subscriptionId": SUBSCRIPTION,
            "portalId": PORTAL,
            "appId": APP,
            "occurredAt": at,
            "subscriptionType": f"{kind}.propertyChange" if name else f"{kind}.creation",
            "attemptNumber": 0,
            "objectId": int(object_id),
        }
        if name:
            event.update({"propertyName": name, "propertyValue": value, "changeSource": rng.pick(["CRM_UI", "INTEGRATION"])})
            if kind == "deal" and rng.chance(30):  # the newer developer platform's name of the same event
                event.update({"subscriptionType": "object.propertyChange", "objectTypeId": "0-3"})
        self.events.append(event)


class Webhooks:
    """Signed deliveries: batched, late, shuffled, repeated, and three that must be refused."""

    def __init__(self, seed: int, deals: Deals) -> None:
        self.rng = Rng(seed, "webhooks")
        rng = self.rng
        queue: list[tuple[int, int, Row]] = []
        for number, event in enumerate(deals.events):
            late = rng.between(1, 6) * DAY + rng.below(DAY) if rng.chance(5) else rng.between(1, 20) * SECOND
            queue.append((min(event["occurredAt"] + late, END), number, event))
            if rng.chance(6):  # an answer came too late, so the event is sent again, with other events
                again = min(event["occurredAt"] + late + rng.between(1, 900) * MINUTE, END)
                queue.append((again, number, {**event, "attemptNumber": 1}))
        queue.sort(key=lambda item: item[:2])
        self.deliveries: list[tuple[int, Row]] = []
        while queue:
            size = rng.weighted([(1, 30), (2, 20), (rng.between(3, 9), 40), (rng.between(10, 40), 8), (100, 2)])
            batch, queue = queue[:size], queue[size:]
            at = batch[-1][0] + rng.below(1_500)
            events = [event for _, _, event in batch]
            if rng.chance(8) and len(events) < 100:
                events.append(dict(rng.pick(events)))
            rng.shuffle(events)
            self.deliver(at if queue else END, events)
        self.refused(deals)
        self.deliveries.sort(key=lambda delivery: delivery[0])
        self.lines = [compact(delivery) for _, delivery in self.deliveries]

    def deliver(self, at: int, events: list[Row], secret: str = SECRET, sent_as: list[Row] | None = None) -> None:
        """One signed delivery; `sent_as` is what the signer signed when the body was changed on the way."""
        at = min(at, END)
        stamp = str(at - self.rng.between(50, 1_500 if self.rng.chance(95) else 240 * SECOND))
        body = compact(events)
        signed = "POST" + WEBHOOK_URL + (compact(sent_as) if sent_as else body) + stamp
        signature = base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "X-HubSpot-Signature-v3": signature,
            "X-HubSpot-Request-Timestamp": stamp,
        }
        if self.rng.chance(10):  # proxies of HTTP/2 write names in lower case
            headers = {name.lower(): value for name, value in headers.items()}
        self.deliveries.append(
            (at, {"received_at": rfc3339(at), "method": "POST", "url": WEBHOOK_URL, "headers": headers, "body": body})
        )

    def refused(self, deals: Deals) -> None:
        """A forger without the secret, a body changed on the way, and an old delivery played again."""
        forged = {"eventId": 666, "subscriptionId": SUBSCRIPTION, "portalId": PORTAL, "appId": APP, "occurredAt": END - 5 * DAY,
                  "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "objectId": 17_990_000_000,
                  "propertyName": "dealstage", "propertyValue": "closedwon", "changeSource": "CRM_UI"}
        self.deliver(END - 5 * DAY, [forged], secret="a-guess")
        genuine = next(e for e in deals.events if e.get("propertyName") == "dealstage")
        changed = {**genuine, "propertyValue": "closedwon", "occurredAt": END - 4 * DAY}
        self.deliver(END - 4 * DAY, [changed], sent_as=[genuine])
        at, old = self.deliveries[len(self.deliveries) // 3]
        self.deliveries.append((at + 2 * DAY, {**old, "received_at": rfc3339(at + 2 * DAY)}))


def ads_file(clicks: Clicks) -> Row:
    """Impressions, clicks and spend of the 30 days: the platform counts a few clicks that the page never saw."""
    rows = []
    for owner, level, campaign, budget, ads in OWNERS:
        for ad in ads:
            counted = clicks.of_ad(ad.ad_id) * 106 // 100
            rows.append({
                "ad_id": ad.ad_id,
                "adset_id": ad.adset_id,
                "campaign_id": campaign,
                "name": ad.name,
                "status": ad.status,
                "daily_budget_minor": budget,
                "budget_level": level,
                "impressions": counted * 100_000 // ad.click_rate,
                "clicks": counted,
                "spend_minor": budget * 30 * 97 // 100 * ad.spend_percent // 100,
            })
    return {"account": {"id": "act_1001", "currency": "USD"}, "ads": rows, "constraints": CONSTRAINTS}


def pretty(value: Row) -> str:
    """One ad, deal or contact a line, so that a difference is readable."""
    def block(name: str, inner: list[Row] | Row) -> str:
        opening, closing = ("[", "]") if isinstance(inner, list) else ("{", "}")
        items = [compact(row) for row in inner] if isinstance(inner, list) else [
            f"{compact(key)}:{compact(row)}" for key, row in inner.items()
        ]
        return f"{compact(name)}:{opening}\n" + ",\n".join(items) + f"\n{closing}"
    return "{\n" + ",\n".join(block(name, inner) for name, inner in value.items()) + "\n}\n"


def world(seed: int, clicks: int, deals: int) -> dict[str, str]:
    """The five files by name."""
    click_log = Clicks(seed, clicks)
    pipeline = Deals(seed, deals, click_log)
    webhooks = Webhooks(seed, pipeline)
    return {
        "clicks.ndjson": "\n".join(click_log.lines) + "\n",
        "webhooks.ndjson": "\n".join(webhooks.lines) + "\n",
        "crm.json": pretty({"deals": pipeline.deals, "contacts": pipeline.contacts}),
        "ads.json": pretty(ads_file(click_log)),
        "faults.json": pretty(FAULTS),
    }


def main() -> int:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Write the example's data.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--clicks", type=int, default=5_600, help="clicks before repeats (5600)")
    parser.add_argument("--deals", type=int, default=400, help="deals with stage events (400)")
    parser.add_argument("--out", type=Path, default=here, help="the folder of the files (this script's)")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    options = parser.parse_args()
    if options.clicks < 100 or options.deals < 1:
        parser.error("--clicks must be at least 100 and --deals at least 1")
    files = world(options.seed, options.clicks, options.deals)
    if options.check:
        different = [
            name for name, text in files.items()
            if not (options.out / name).is_file() or (options.out / name).read_bytes() != text.encode()
        ]
        for name in different:
            print(f"{options.out / name} is not what generate.py writes; run it again", file=sys.stderr)
        return 1 if different else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (options.out / name).write_bytes(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
