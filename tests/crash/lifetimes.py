"""Times to live: which records are there, when it is only known between which moments they were written.

A value of the model is (vector, metadata, expires). `expires` is None, milliseconds since 1970, or a Ttl while the
moment of the write is not known. A state is compared as it is at one moment, which lies in no doubtful stretch of time:
what has expired by then is left out on both sides."""

import time
from typing import NamedTuple

# At once; while the loop goes on, so that the record is seen at first and then no more; not before the loop ends.
TTLS = (0, 2, 3600)
FLEETING_MS = 60_000


class Ttl(NamedTuple):
    """So many seconds after a write that is yet to be dated."""
    seconds: int


def now_ms():
    return time.time_ns() // 1_000_000


def is_fleeting(expires):
    """Whether it may be gone before the next operation. To update or insert it could fail."""
    if isinstance(expires, Ttl):
        return expires.seconds * 1000 < FLEETING_MS
    return expires is not None and expires < now_ms() + FLEETING_MS


def alive(model, moment):
    """What is left of dated records."""
    return {place: value for place, value in model.items() if value[2] is None or value[2] > moment}


class Window:
    """The time from `began` to now, in which operations were written; made when their effect has been read."""

    def __init__(self, began):
        self.began, self.ended = began, now_ms()
        self.judged = self.ended  # the moment at which states are compared
        for seconds in TTLS:
            if self.began + seconds * 1000 <= self.judged < self.ended + seconds * 1000:
                self.judged = self.ended + seconds * 1000

    def gone(self, value):
        expires = value[2]
        if isinstance(expires, Ttl):
            expires = self.ended + expires.seconds * 1000
        return expires is not None and expires <= self.judged

    def left(self, model):
        return {place: value for place, value in model.items() if not self.gone(value)}

    def undated(self, stored):
        """The records that are left, with a Ttl for the date of each that was given one in this time."""
        return {place: (*value[:2], self.undated_expiry(value[2])) for place, value in self.left(stored).items()}

    def undated_expiry(self, expires):
        for seconds in TTLS:
            if expires is not None and self.began + seconds * 1000 <= expires <= self.ended + seconds * 1000:
                return Ttl(seconds)
        return expires

    def wait(self):
        """Until what was left out has expired indeed."""
        time.sleep(max(0, self.judged - now_ms()) / 1000)
