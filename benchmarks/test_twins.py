"""The twins are worth comparing with only if they compute the same thing: NumPy against C, and both against laws."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from benchmarks import c_twin, numpy_twin
from benchmarks.cohort import KAPPA, MONTH, cohort, critical
from benchmarks.philox import philox, volatility_normals
from benchmarks.propagators import Rates, drift, drive_weights, nodes, propagators

SEED, WEEKS, N = 0x123456789ABCDEF, 110, 2000  # 110 weeks: the last group of the C kernel is a short one
needs_clang = pytest.mark.skipif(not c_twin.available(), reason="clang is not installed: no C kernel to compare with")

# Published test vectors of Random123 for Philox4x32-10: counter, key, words.
VECTORS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def normals(patients, epoch):
    return volatility_normals(patients, epoch, SEED)


@pytest.fixture(scope="module")
def people():
    return cohort(N)


@pytest.fixture(scope="module")
def expected(people):
    return numpy_twin.simulate(people, WEEKS, normals)


@pytest.mark.parametrize(("counter", "key", "words"), VECTORS)
def test_philox_vectors(counter, key, words):
    assert [int(word) for word in philox(tuple(counter), tuple(key))] == words


@needs_clang
@pytest.mark.parametrize(("counter", "key", "words"), VECTORS)
def test_philox_vectors_in_c(counter, key, words):
    assert c_twin.philox(counter, key) == words


@needs_clang
def test_c_agrees_with_numpy(people, expected):
    got = c_twin.simulate(c_twin.inputs(people), WEEKS, SEED)
    happened = ~np.isnan(expected.event_time)
    assert happened.sum() > N / 2
    assert (happened == ~np.isnan(got.event_time)).mean() > 0.9995
    difference = np.abs(got.event_time - expected.event_time)[happened & ~np.isnan(got.event_time)] / MONTH
    assert (np.quantile(difference, [0.5, 0.95, 0.999]) < [1e-5, 6e-5, 5e-4]).all()  # months, float32 against float64
    assert np.abs(got.sums[..., 0] - expected.sums[..., 0]).max() <= 1
    means, true_means = (out.sums[..., 1:] / out.sums[..., :1] for out in (got, expected))
    np.testing.assert_allclose(means, true_means, rtol=1e-3)


def test_dropping_the_dead_changes_nothing(people, expected):
    got = numpy_twin.simulate(people, WEEKS, normals, drop=True)
    np.testing.assert_array_equal(got.event_time, expected.event_time)
    np.testing.assert_allclose(got.sums, expected.sums, rtol=1e-12)


def test_treatment_that_slows_never_brings_an_event_forward(people, expected):
    untreated, treated = np.nan_to_num(expected.event_time, nan=np.inf)[:, people.e_f >= 0]
    assert (treated > untreated).mean() > 0.3
    assert (treated >= untreated - 1e-3 * MONTH).all()


def test_without_volatility_survival_is_a_weibull(people, monkeypatch):
    monkeypatch.setattr(numpy_twin, "VOLATILITY", 0.0)
    got = numpy_twin.simulate(people, WEEKS, lambda patients, epoch: np.zeros(len(patients))).event_time[0]
    length = critical(people.v0, people.tau_v)
    threshold = people.left + (people.u0 / length) ** KAPPA
    exact = (length * threshold ** (1 / KAPPA) - people.u0) * people.d50 * MONTH
    within = exact < WEEKS * 7
    assert within.sum() > N / 4
    np.testing.assert_allclose(got[within], exact[within], rtol=0, atol=0.05)


@pytest.mark.parametrize("h", [1.0, 7.0])
def test_propagators_solve_the_equation(h):
    made, matrix = propagators(h), drift(Rates(), h)
    start, inputs = np.array([0.3, 0.2, 0.1, 0.15, 0.05, 0.0]), np.array([0.9, 0.4])
    first, second = nodes(h)
    source = np.array([Rates().target, 0, 0, 0, 0, 0])

    def slope(t, y):
        return matrix @ y + source * (inputs[0] + (inputs[1] - inputs[0]) * (t - first) / (second - first))

    run = solve_ivp(slope, (0, h), start, rtol=1e-11, atol=1e-13, t_eval=[h / 2, h])
    np.testing.assert_allclose(made.full @ start + inputs @ made.full_in, run.y[:, 1], atol=1e-9)
    np.testing.assert_allclose(made.half @ start + inputs @ made.half_in, run.y[:, 0], atol=1e-9)


def test_drive_weights_are_the_integrals():
    rate, h = Rates().neurofilament, 7.0
    shapes = [lambda s: (2 * s - 1) * (s - 1), lambda s: 4 * s * (1 - s), lambda s: s * (2 * s - 1)]
    exact = [quad(lambda t, f=f: rate * np.exp(-rate * (h - t)) * f(t / h), 0, h)[0] for f in shapes]
    np.testing.assert_allclose(drive_weights(rate, h), exact, rtol=1e-10)
