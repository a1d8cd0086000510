"""Writes sessions.bin, and testdata/samples.txt that the tests compare it with. To run it:

    python3 -m venv /tmp/xcals
    /tmp/xcals/bin/pip install exchange_calendars==4.13.2 'pandas<3' tzdata==2026.6
    /tmp/xcals/bin/python gen.py .              writes both below this folder
    /tmp/xcals/bin/python gen.py -samples SEED  prints other samples of the same kind

All numbers of sessions.bin are unsigned LEB128. A text and a list begin with their length. Days,
and words of 64 days, are counted from the Monday 200,000 weeks before 1970-01-05. In a list, a day
is written as its distance from the one before.

    "TCAL" 1; text: where the facts come from; number of calendars; then of each
    text: its name, then its other names
    first and last day between which all holidays are known
    first word of the data; number of its words; how many of them are in the old week
    the weekdays of the old week and of the new one, bit 0 is Monday
    list: days that are no session though the week has one, or are one though it has none
    list: times at which sessions close, in minutes from the UTC midnight a day before their own
    list: a day and the index of the time at which sessions close from then on
"""

import hashlib
import importlib.metadata
import os
import random
import sys
import warnings
import zoneinfo

zoneinfo.reset_tzpath(())  # time zones of the package tzdata, not of the machine

import numpy as np
import pandas as pd
from exchange_calendars.calendar_utils import _default_calendar_factories as factories

VERSIONS = {"exchange_calendars": "4.13.2", "tzdata": "2026.6"}
SOURCE = "exchange_calendars 4.13.2 (2026-03-10), tzdata 2026.6"

# Of calendars that explain prices equally well, Detect takes the first.
NAMES = [
    "XNYS XNAS", "XTSE", "BVMF", "XMEX", "XLON", "XPAR", "XAMS", "XBRU", "XLIS", "XETR", "XSWX",
    "XMIL", "XMAD", "XSTO", "XCSE", "XHEL", "XOSL", "XWBO", "XWAR", "XPRA", "XIST", "XTAE",
    "XJSE", "XSAU", "XBOM XNSE", "XHKG", "XSHG XSHE", "XTKS", "XKRX", "XTAI", "XSES", "XBKK",
    "XIDX", "XKLS", "XASX", "XNZE",
]

# The package computes most holidays from 1970 to 2200. Law changes, so 20 years ahead are enough.
# New York is the default calendar, of forecasts as of any day too, and has more.
SPAN = {None: ("2000-01-01", "2046-12-31"), "XNYS": ("1970-01-01", "2101-12-31")}

# Outside of these years the package lacks holidays that it does not compute but lists. The data
# still have the others there.
KNOWN = {
    "XTAI": ("2002-01-01", "2026-12-31"),  # days that lengthen the lunar new year
    "XBKK": ("2000-01-01", "2029-12-31"),  # Makha Bucha, Visakha Bucha, Asahna Bucha
    "XIDX": ("2002-01-01", "2025-12-31"),  # Islamic holidays, common leave
    "XKLS": ("2000-01-01", "2029-12-31"),  # Deepavali, Thaipusam, Wesak
}

EPOCH = np.datetime64("1970-01-05") - 7 * 200_000
MINUTES = 24 * 60  # of a day


class Exchange:
    """A calendar of the package: its sessions and when they close, within its span."""

    def __init__(self, names):
        self.names = names
        self.code = names.split()[0]
        factory = factories[self.code]
        start, end = map(pd.Timestamp, SPAN.get(self.code, SPAN[None]))
        start = max(start, factory.bound_min() or start)
        end = min(end, factory.bound_max() or end)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendar = factory(start=start, end=end)
        self.start, self.end = day(start), day(end)
        self.known = tuple(map(day, KNOWN.get(self.code, (start, end))))
        self.days = [day(s) for s in calendar.sessions]
        self.sessions = set(self.days)
        closes = calendar.closes.dt.tz_convert(None) - calendar.sessions
        self.closes = [int(t) for t in closes / pd.Timedelta(minutes=1)]
        self.offsets = [t.utcoffset() for t in calendar.closes.dt.tz_convert(calendar.tz)]

    def week(self, first, last):
        """The weekdays on which most days from first to last are sessions."""
        def most(days):
            return sum(d in self.sessions for d in days) * 2 > len(days)
        return sum(most(range(d, last + 1, 7)) << d % 7 for d in range(first, first + 7))

    def encode(self):
        old, new = self.week(self.start, self.start + 363), self.week(self.end - 363, self.end)
        first, last = self.start // 64, self.end // 64

        def odd(switch):
            return [d for d in range(self.start, self.end + 1)
                    if (d in self.sessions) != (old if d // 64 < switch else new) >> d % 7 & 1]
        switch = min(range(first, last + 2), key=lambda w: len(odd(w))) if old != new else first
        # After the last session, days are as long as most of its last year.
        usual = max(sorted(set(self.closes[-250:])), key=self.closes[-250:].count)
        changes = [(0, 0)]
        for d, t in zip(self.days + [self.end + 1], self.closes + [usual]):
            if t != changes[-1][1]:
                changes.append((d, t))
        return encode(self.names, self.known, (first, last + 1 - first, switch - first),
                      (old, new), odd(switch), changes[1:])

    def samples(self, rng):
        """Sessions after random days, and closes: around odd ones, clock changes, and any."""
        for d in sorted(rng.sample(range(self.known[0], self.known[1] - 90), 20)):
            line, was = "", d
            for s in self.days[np.searchsorted(self.days, d, "right"):][:30]:
                line += "0123456789abcdefghijklmnopqrstuvwxyz"[s - was]
                was = s
            yield f"next {self.code} {EPOCH + d} {line}"
        every = range(1, len(self.days) - 1)
        clock = [i for i in every if self.offsets[i] != self.offsets[i - 1]]
        odd = [i for i in every if self.closes[i] not in (self.closes[i - 1], self.closes[i + 1])]
        picked = set(rng.sample(every, 4))
        for of in clock, odd:
            picked |= {i + k for i in rng.sample(of, min(len(of), 6)) for k in (-1, 0, 1)}
        for i in sorted(picked):
            yield f"close {self.code} {EPOCH + self.days[i]} {self.closes[i]}"


def day(when):
    return int((np.datetime64(when, "D") - EPOCH).astype(int))


def num(n):
    assert n >= 0
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def text(s):
    return num(len(s)) + s.encode()


def encode(names, known, words, weeks, odd, changes):
    out = text(names) + num(known[0]) + num(known[1])
    out += num(words[0]) + num(words[1]) + num(words[2]) + num(weeks[0]) + num(weeks[1])
    out += num(len(odd))
    for before, d in zip([0] + odd, odd):
        out += num(d - before)
    times = sorted({t for _, t in changes})
    out += num(len(times)) + b"".join(num(t + MINUTES) for t in times) + num(len(changes))
    for (before, _), (d, t) in zip([(0, 0)] + changes, changes):
        out += num(d - before) + num(times.index(t))
    return out


def main(args):
    for name, want in VERSIONS.items():
        if (got := importlib.metadata.version(name)) != want:
            return f"{name} is {got}, want {want}"
    if not (len(args) == 1 or len(args) == 2 and args[0] == "-samples"):
        return "usage: gen.py FOLDER | gen.py -samples SEED"
    exchanges = [Exchange(names) for names in NAMES]
    data = b"TCAL\x01" + text(SOURCE) + num(len(exchanges) + 2)
    data += b"".join(e.encode() for e in exchanges)
    always = day("0001-01-01"), day("9999-12-31")
    for name, week in ("weekdays", 0b0011111), ("24/7", 0b1111111):
        data += encode(name, always, (0, 0, 0), (week, week), [], [(0, MINUTES)])
    rng = random.Random(int(args[1]) if len(args) == 2 else 1)
    samples = f"data {hashlib.sha256(data).hexdigest()}\n"
    samples += "".join(line + "\n" for e in exchanges for line in e.samples(rng))
    if len(args) == 2:
        sys.stdout.write(samples)
        return None
    with open(os.path.join(args[0], "sessions.bin"), "wb") as f:
        f.write(data)
    with open(os.path.join(args[0], "testdata", "samples.txt"), "w", encoding="ascii") as f:
        f.write(samples)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
