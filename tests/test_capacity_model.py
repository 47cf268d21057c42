"""The simulation of many classes, against what can be worked out without one."""

from __future__ import annotations

import pytest
from benchmarks.capacity_model import Costs, simulate

LIGHT = Costs(decode_ms=2, look_ms=10, follow_ms=2, read_ms=0.5, python_ms=2)


def test_a_class_alone_has_every_picture_and_costs_what_its_stages_cost() -> None:
    alone = simulate(LIGHT, 1, cores=2, fps=25, faces=10)
    assert alone.results_per_s == pytest.approx(25, abs=0.1)
    assert alone.cores_busy == pytest.approx(25 * LIGHT.picture_ms(10, 25) / 1e3, rel=0.02)
    assert alone.age_p95_ms < 20


def test_below_the_limit_nothing_is_lost_and_work_adds_up() -> None:
    few = simulate(LIGHT, 4, cores=2, fps=25, faces=10)
    assert few.results_per_s == pytest.approx(25, abs=0.2)
    assert few.cores_busy == pytest.approx(4 * 25 * LIGHT.picture_ms(10, 25) / 1e3, rel=0.02)


def test_beyond_the_limit_all_cores_are_busy_and_results_come_less_often() -> None:
    many = simulate(LIGHT, 16, cores=2, fps=25, faces=10)
    assert many.cores_busy == pytest.approx(2, rel=0.02)
    assert many.results_per_s < 20
    assert many.age_p95_ms > simulate(LIGHT, 4, cores=2, fps=25, faces=10).age_p95_ms


def test_twice_the_cores_hold_twice_the_classes() -> None:
    one = simulate(LIGHT, 12, cores=2, fps=25, faces=10)
    two = simulate(LIGHT, 24, cores=4, fps=25, faces=10, processes=2)
    assert two.results_per_s == pytest.approx(one.results_per_s, rel=0.05)


def test_what_holds_the_interpreter_uses_one_core_of_a_process() -> None:
    python = Costs(decode_ms=0, look_ms=0, follow_ms=0, read_ms=0, python_ms=20)
    assert simulate(python, 8, cores=4, fps=25, faces=10).cores_busy == pytest.approx(1, rel=0.02)
    assert simulate(python, 8, cores=4, fps=25, faces=10, processes=4).cores_busy == pytest.approx(4, rel=0.02)
