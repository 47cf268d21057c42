"""Who faces the screen: poses of the heads, steadied and compared with each seat's usual direction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats, HeadPoses, Ints

HOLD_S = 5.0
"""How long a face stays what it was while its pose is not told: a hand, a look down, a missed detection."""
FORGET_S = 60.0
"""How long a face out of sight is remembered."""
MAX_SEATS = 1000
"""Most faces that are remembered; those unseen for longest are forgotten first."""
MAX_STEP_S = 2 * HOLD_S
"""Most that the class gets older between two results; a clock that jumps further jumped."""
MAX_LOOK_S = 1.0
"""Most time that one reading stands for."""
BACK_S = 0.3
"""How long somebody who was turned away must be seen facing, if `min_turn_s` is not shorter: one wrong reading is not
enough."""
OWN_S = 10.0
"""How long a face must be seen for its own usual direction to be believed, or half the calibration if that is less."""
TIDY_EVERY_S = 1.0
"""How often the usual direction of the class is worked out again, and faces are forgotten."""
BIN_DEG = 2.0
_BINS = round(180 / BIN_DEG)


@dataclass(slots=True)
class _Seat:
    """One track: what it was taken for, and where it usually looks."""

    seen_s: float
    told_s: float
    facing: bool | None = None
    against_s: float = 0.0  # time for which readings spoke against `facing`
    against: bool = False  # whether the last one did
    looks: NDArray[np.float64] | None = field(default_factory=lambda: np.zeros(_BINS))  # s; None once it is learned
    looked_s: float = 0.0
    usual_deg: float = math.nan


class FacingJudge:
    """Tells of each face whether it faces the screen, steadily.

    A head that is turned further than `max_yaw_deg` from where it usually looks is turned away, once it has been for
    `min_turn_s`. The usual direction is the median of the first `calibration_s` in which a face was seen, so that a
    camera at the side and seats at the side are right; until enough was seen of a face, and where its own lies further
    than `max_yaw_deg` from the others', it is the median of the class's, each face counted once. That one is learned
    in the class's first `calibration_s`, and is the camera's own direction, 0, before anybody was seen long enough.
    A class that looks elsewhere for all of that time, or a camera that is moved later, makes this wrong.

    Looking down is not looking away: five landmarks do not tell pitch, only yaw is judged, and whoever bends over
    paper keeps it. A face whose pose is not told, or that is out of sight, stays what it was for `HOLD_S`, and is
    not told after. So nobody is said to be turned away who was not seen turned away.

    The cost of a result depends on its faces alone.
    """

    def __init__(self, max_yaw_deg: float, hysteresis_deg: float, min_turn_s: float, calibration_s: float) -> None:
        """Start with nobody.

        Args:
            max_yaw_deg: angle from the usual direction that still faces the screen.
            hysteresis_deg: half the width of the band around it in which nothing changes; the band ends at half of
                `max_yaw_deg` at the latest, so that there is always a way back.
            min_turn_s: shorter looks aside do not count.
            calibration_s: how long usual directions are learned; 0 takes the camera's.
        """
        self._max_deg = max_yaw_deg
        self._leave_deg = max_yaw_deg + hysteresis_deg
        self._return_deg = max(max_yaw_deg - hysteresis_deg, max_yaw_deg / 2)
        self._min_turn_s = min_turn_s
        self._calibration_s = calibration_s
        self._own_s = min(OWN_S, calibration_s / 2)
        self._seats: dict[int, _Seat] = {}
        self._time_s: float | None = None
        self._now_s = 0.0  # the class's age: time that passed, without jumps
        self._began_s = math.inf  # when the first pose was told
        self._tidied_s = -math.inf
        self._class_deg: float | None = None

    def update(self, ids: Ints, poses: HeadPoses, time_s: float) -> Floats:
        """Take the poses of the next result.

        Args:
            ids: (N,) tracks.
            poses: theirs, in the same order.
            time_s: the result's time. Where the clock jumps back, stands still or is no number, no time passes;
                where it jumps forward, at most `MAX_STEP_S`.

        Returns:
            (N,) float32: 1 faces the screen, 0 does not, NaN is not told.

        Raises:
            ValueError: the tracks are not as many as the poses.
        """
        if len(ids) != len(poses):
            message = f"{len(ids)} tracks for {len(poses)} poses"
            raise ValueError(message)
        self._pass_time(time_s)
        told = poses.told
        found = np.full(len(ids), np.nan, np.float32)
        for i, track in enumerate(ids.tolist()):
            seat = self._seats.pop(track, None) or _Seat(self._now_s, self._now_s)
            self._seats[track] = seat  # the last seen are last
            seat.seen_s = self._now_s
            if self._now_s - seat.told_s > HOLD_S:
                seat.facing, seat.against, seat.against_s = None, False, 0.0
            if told[i]:
                self._judge(seat, float(poses.yaw_deg[i]))
            if seat.facing is not None:
                found[i] = seat.facing
        self._tidy()
        return found

    def _pass_time(self, time_s: float) -> None:
        if not math.isfinite(time_s):
            return
        if self._time_s is not None:
            self._now_s += min(max(time_s - self._time_s, 0.0), MAX_STEP_S)
        self._time_s = time_s

    def _judge(self, seat: _Seat, yaw_deg: float) -> None:
        """Take one reading of one face."""
        look_s = min(self._now_s - seat.told_s, MAX_LOOK_S)
        seat.told_s = self._now_s
        self._began_s = min(self._began_s, self._now_s)
        self._learn(seat, yaw_deg, look_s)
        facing = self._says(seat, abs(yaw_deg - self._usual_deg(seat)))
        if facing == seat.facing:
            seat.against, seat.against_s = False, 0.0
            return
        # The time between two readings counts if both speak against what the face was taken for.
        seat.against_s += look_s if seat.against else 0.0
        seat.against = True
        enough_s = min(BACK_S, self._min_turn_s) if facing else self._min_turn_s
        if (seat.facing is None and facing) or seat.against_s >= enough_s:
            seat.facing, seat.against, seat.against_s = facing, False, 0.0

    def _says(self, seat: _Seat, turned_deg: float) -> bool:
        """What one reading says, by an angle that is smaller for those who were turned away."""
        if seat.facing is None:
            return turned_deg <= self._max_deg
        return turned_deg <= (self._leave_deg if seat.facing else self._return_deg)

    @staticmethod
    def _learn(seat: _Seat, yaw_deg: float, look_s: float) -> None:
        """Count where a face looked for how long."""
        if seat.looks is not None:
            seat.looks[min(max(int((yaw_deg + 90) / BIN_DEG), 0), _BINS - 1)] += look_s
            seat.looked_s += look_s

    def _usual_deg(self, seat: _Seat) -> float:
        if self._calibration_s == 0:
            return 0.0
        usual_deg = self._class_deg or 0.0
        believed = seat.looked_s >= self._own_s and abs(seat.usual_deg - usual_deg) <= self._max_deg
        return seat.usual_deg if believed else usual_deg

    def _tidy(self) -> None:
        """Forget who is gone, and work out usual directions while they are learned."""
        if self._now_s - self._tidied_s < TIDY_EVERY_S and len(self._seats) <= MAX_SEATS:
            return
        before_s, self._tidied_s = self._tidied_s, self._now_s
        for track, seat in list(self._seats.items()):
            if self._now_s - seat.seen_s <= FORGET_S and len(self._seats) <= MAX_SEATS:
                break
            del self._seats[track]
        for seat in self._seats.values():
            if seat.looks is not None and seat.looked_s > 0 and seat.told_s >= before_s:
                seat.usual_deg = _median_deg(seat.looks)
                seat.looks = seat.looks if seat.looked_s < self._calibration_s else None
        if self._class_deg is None or self._now_s - self._began_s <= self._calibration_s:
            known = [seat.usual_deg for seat in self._seats.values() if seat.looked_s >= self._own_s / 2 > 0]
            self._class_deg = float(np.median(known)) if known else self._class_deg


def _median_deg(looks: NDArray[np.float64]) -> float:
    """Median of a histogram of yaws from -90 degrees on, within its bin by the share of it.

    >>> looks = np.zeros(_BINS)
    >>> looks[[40, 50, 51]] = 1.0, 1.0, 1.0
    >>> _median_deg(looks)
    11.0
    """
    sums = np.cumsum(looks)
    place = int(np.searchsorted(sums, sums[-1] / 2))
    share = (sums[-1] / 2 - (sums[place] - looks[place])) / looks[place]
    return float((place + share) * BIN_DEG - 90)
