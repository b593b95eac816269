# SPDX-License-Identifier: Apache-2.0
"""Reads the MIV feed's documents with xml.etree and says what Berm's events must be: written from
the schema and the contract alone, without a line of the driver's. A minute is
minutes(data)[(uid, time)] -> fields; a point is points(list)[uid] -> fields."""

import datetime
import gzip
import pathlib
import xml.etree.ElementTree as ElementTree

CLASSES = range(1, 6)
STALE_S = 180
OLD_S = 180
DECIMALS = {"km": 3, "lat": 6, "lon": 6, "x": 3, "y": 3}


def load(path):
    path = pathlib.Path(path)
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return file.read()


def seconds(text):
    """Epoch seconds of an xs:dateTime with an offset; None where there is none."""
    try:
        time = datetime.datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return None if time.tzinfo is None else time.timestamp()


def whole(text, low=0, high=10**5):
    try:
        value = int((text or "").strip())
    except ValueError:
        return None
    return value if low <= value <= high else None


def number(point, path, high):
    value = whole(point.findtext(path), 0, high)
    return None if value is None else float(value)


def comma(text, digits):
    try:
        return round(float((text or "").strip().replace(",", ".")), digits)
    except ValueError:
        return None


def points(document):
    found = {}
    for point in ElementTree.fromstring(document).iter("meetpunt"):
        uid = whole(point.get("unieke_id"), 0, 2**62)
        if uid is None:
            continue
        text = lambda name, at=point: (at.findtext(name) or "").strip() or None
        found[uid] = {
            "uid": uid,
            "name": text("volledige_naam"),
            "road": text("Ident_8"),
            "km": comma(text("Kmp_Rsys"), 3),
            "lane": text("Rijstrook"),
            "lat": comma(text("breedtegraad_EPSG_4326"), 6),
            "lon": comma(text("lengtegraad_EPSG_4326"), 6),
            "x": comma(text("X_coord_EPSG_31370"), 3),
            "y": comma(text("Y_coord_EPSG_31370"), 3),
        }
    return found


def class_fields(point):
    fields, total = {}, 0
    measured = {m.get("klasse_id"): m for m in point.findall("meetdata")}
    for number in CLASSES:
        found = measured.get(str(number))
        name = f"measure_class_{number}"
        count = None if found is None else whole(found.findtext("verkeersintensiteit"))
        speed = harmonic = None
        if count:
            harmonic = whole(found.findtext("voertuigsnelheid_harmonisch"), 1, 200)
            speed = whole(found.findtext("voertuigsnelheid_rekenkundig"), 1, 200)
        if harmonic is None:
            speed = None
        fields[name + "_count"] = count
        fields[name + "_speed"] = None if speed is None else float(speed)
        fields[name + "_speed_harmonic"] = None if harmonic is None else float(harmonic)
        fields[name + "_speed_count"] = 0 if harmonic is None else count
        total = None if count is None or total is None else total + count
    fields["count"] = total
    return fields


def flags(point, place, published, time, fields, now):
    words = set()
    if published is not None and published - time >= STALE_S + 1:
        words.add("stale")
    if published is not None and now is not None and now - published > OLD_S:
        words.add("old_document")
    if place is None:
        words.add("unplaced")
    elif (place["lane"] or "").startswith("TR"):
        words.add("ghost")
    if whole(point.findtext("beschikbaar")) == 0:
        words.add("unavailable")
    if fields["count"] is None:
        words.add("incomplete")
    return words


def minutes(document, places, now=None, enrich=True):
    """`now`: of the node's clock when it read the document; None: no flag for an old document."""
    root = ElementTree.fromstring(document)
    published = seconds(root.findtext("tijd_publicatie"))
    found = {}
    for point in root.iter("meetpunt"):
        uid = whole(point.get("unieke_id"), 0, 2**62)
        time = seconds(point.findtext("tijd_waarneming"))
        if uid is None or time is None or (uid, int(time)) in found:
            continue
        place = places.get(uid)
        known = place if place is not None and enrich else {}
        fields = class_fields(point)
        share = whole(point.findtext("rekendata/beschikbaarheidsgraad"), 0, 100)
        fields |= {
            "uid": uid,
            "time": int(time),
            "lane": "" if place is None else place["lane"] or "",
            "period_s": 60,
            "unclassified_count": None,
            "occupancy": number(point, "rekendata/bezettingsgraad", 100),
            "availability": None if share is None else float(share),
            "coverage": None if share is None else share / 100,
            "unrest": number(point, "rekendata/onrustigheid", 10**6),
            "valid": whole(point.findtext("geldig"), 0, 3),
            "defect": whole(point.findtext("defect"), 0, 2),
            "expected": None,
            "score": None,
            "direction": None,
            **{name: known.get(name) for name in ("name", "road", "km", "lat", "lon")},
        }
        fields["flags"] = flags(point, place, published, time, fields, now)
        found[(uid, int(time))] = fields
    return found


def differences(event, expected):
    """Names of the fields that are not what they must be. Rounding may differ in the last digit."""
    wrong = []
    for name, want in expected.items():
        got = event.get(name, "absent")
        if name == "flags":
            got = set(got.split())
        if isinstance(want, float) and isinstance(got, (int, float)):
            if abs(got - want) <= 1.001 * 10.0 ** -DECIMALS.get(name, 9):
                continue
        elif got == want:
            continue
        wrong.append(f"{name}: {got!r}, not {want!r}")
    return wrong
