"""Telling runs apart: intervals and verdicts against scipy's own tests, and against simulated experiments."""

import numpy as np
import pytest
import torch
from scipy import stats

from course_lib.training import compare, compare_on_images, interval

FIRST, SECOND = [3.1, 2.8, 4.0, 3.3, 2.9], [2.5, 2.9, 3.1, 2.6, 2.2]


def test_the_interval_of_a_mean_is_students():
    found = interval(FIRST)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 4, np.mean(FIRST), stats.sem(FIRST)))
    assert found.mean == pytest.approx(np.mean(FIRST))
    assert found.n == 5


def test_paired_runs_are_compared_by_the_paired_t_test():
    found, oracle = compare(FIRST, SECOND), stats.ttest_rel(FIRST, SECOND).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))
    assert found.told_apart == (stats.ttest_rel(FIRST, SECOND).pvalue < 0.05)


def test_runs_that_are_not_paired_are_compared_by_welchs_test():
    found = compare(FIRST, SECOND[:4], paired=False)
    oracle = stats.ttest_ind(FIRST, SECOND[:4], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))


def test_many_comparisons_widen_the_interval():
    found, oracle = compare(FIRST, SECOND, comparisons=10), stats.ttest_rel(FIRST, SECOND).confidence_interval(0.995)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))


def test_the_test_images_alone_give_the_interval_of_agresti_and_caffo():
    # 7 errors of 200 in each run of the one, 15 of the other: the seeds add nothing
    found = compare([3.5, 3.5], [7.5, 7.5], num_test=200)
    one, other = 8 / 202, 16 / 202
    half = 100 * stats.norm.ppf(0.975) * np.sqrt((one * (1 - one) + other * (1 - other)) / 202)
    # ours takes two runs' degrees of freedom when the runs do not spread at all: wider, never narrower
    assert found.high - found.difference == pytest.approx(half * stats.t.ppf(0.975, 1) / stats.norm.ppf(0.975))
    spread = compare([3.5, 3.6], [7.5, 7.55], num_test=200)
    assert spread.high - spread.difference == pytest.approx(half, rel=0.02)


def test_a_finite_test_set_widens_the_interval_and_may_change_the_verdict():
    assert compare(FIRST, SECOND).verdict() == "worse"
    assert compare(FIRST, SECOND, num_test=360).verdict() == "not told apart"
    assert compare(FIRST, SECOND, num_test=10**7).low == pytest.approx(compare(FIRST, SECOND).low, abs=0.01)


def test_the_verdict_says_what_the_first_is():
    assert compare(SECOND, FIRST).verdict() == "better"
    assert compare(SECOND, FIRST).verdict("faster", "slower") == "faster"
    assert str(compare(SECOND, FIRST)) == "−0.6 (−1.0 to −0.1)"
    assert str(compare([1.0, 2.0], [1.5, 1.5])) == "+0.0 (−6.4 to +6.4), not told apart; 8.2 would have been seen"
    assert stats.nct.sf(stats.t.ppf(0.975, 1), 1, 8.2 / 0.5) == pytest.approx(0.8, abs=0.003)


def test_no_difference_is_told_apart_as_often_as_the_level_says():
    rng = np.random.default_rng(0)
    trials = [compare(*rng.normal(5, 1.5, (2, 3))).told_apart for _ in range(4000)]
    assert np.mean(trials) == pytest.approx(0.05, abs=0.012)


def test_the_smallest_difference_seen_is_told_apart_four_times_in_five():
    rng = np.random.default_rng(1)
    runs, deviation = 5, 1.5
    # the true spread of the paired differences in place of an estimate
    error = deviation * np.sqrt(2 / runs)
    known = compare([-1.0, 1.0] * 2 + [0.0], [0.0] * runs)
    size = known.smallest_seen * error / (np.std([-1, 1, -1, 1, 0], ddof=1) / np.sqrt(runs))
    told = [
        compare(rng.normal(5 + size, deviation, runs), rng.normal(5, deviation, runs)).told_apart for _ in range(4000)
    ]
    assert np.mean(told) == pytest.approx(0.8, abs=0.025)


def test_errors_image_by_image_need_no_bound():
    rng = torch.Generator().manual_seed(3)
    hard = torch.rand(400, generator=rng).lt(0.1)  # both fail on the hard images
    first = hard | torch.rand(4, 400, generator=rng).lt(0.02)
    second = hard | torch.rand(4, 400, generator=rng).lt(0.04)
    exact = compare_on_images(first, second)
    errors = [100 * wrong.double().mean(1) for wrong in (first, second)]
    bounded = compare(*(values.tolist() for values in errors), num_test=400)
    assert exact.difference == pytest.approx(bounded.difference)
    assert exact.high - exact.low < 0.7 * (bounded.high - bounded.low)
    same = compare_on_images(first, first)
    assert (same.difference, same.told_apart) == (0, False)


def test_new_seeds_and_new_images_are_covered_by_the_interval():
    rng = torch.Generator().manual_seed(4)
    inside = 0
    for _ in range(400):
        ease = torch.rand(300, generator=rng)  # drawn anew, as a test set is
        first = torch.rand(4, 300, generator=rng).lt(0.3 * ease)
        second = torch.rand(4, 300, generator=rng).lt(0.5 * ease)
        found = compare_on_images(first, second)
        inside += found.low <= -10 <= found.high  # the true difference: 0.2 times the mean ease, in per cent
    assert inside / 400 > 0.94


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [2.0]), "at least two runs are needed to see how far runs spread, got 1"),
        (([1.0, 2.0], [1.0, 2.0, 3.0]), "paired runs must be as many on both sides, got 2 and 3"),
        (([1.0, float("nan")], [1.0, 2.0]), "every value must be finite"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(*arguments)


def test_shares_in_place_of_per_cent_are_no_error_but_wrong_units_are():
    with pytest.raises(ValueError, match="error rates in per cent, from 0 to 100"):
        compare([-3.0, 2.0], [1.0, 2.0], num_test=360)
    with pytest.raises(ValueError, match="comparisons must be at least 1"):
        compare(FIRST, SECOND, comparisons=0)
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        interval(FIRST, level=95)
    with pytest.raises(ValueError, match=r"both must be \(runs, images\)"):
        compare_on_images(torch.zeros(2, 3), torch.zeros(3, 2))
