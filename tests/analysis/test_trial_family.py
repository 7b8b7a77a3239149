"""Several claims at one level: procedures against closed tests and R, and what a trial makes of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator as sim
from simulator.analysis.replicates import share
from simulator.analysis.trial.multiplicity import Graph, claimed, graph
from simulator.cli.trial_tables import trial_document, trial_text
from simulator.language import ScenarioError

ALPHA = 0.05
GRAPHS = ("hierarchical", "bonferroni", "holm", "graphical")


@st.composite
def cases(draw):
    """A table of p values, and a graph of so many claims."""
    k = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.random((30, k)) ** 4
    weights = rng.dirichlet(np.ones(k)) * draw(st.sampled_from([1.0, 0.9]))
    rows = rng.dirichlet(np.ones(k), k) * (rng.random((k, k)) < 0.7) * (1 - np.eye(k))
    return p, Graph(weights, rows)


def of(procedure, p, random):
    k = p.shape[1]
    if procedure == "graphical":
        return random
    return graph(procedure, k, random.weights.tolist() if procedure != "hierarchical" else None)


def without(one: Graph, gone: list[int]) -> np.ndarray:
    """Weights of the claims that are left when the level of the others has gone on, one at a time."""
    weight, passed = one.weights.copy(), one.transitions.copy()
    k = len(weight)
    for j in gone:
        new_weight, new = np.zeros(k), np.zeros((k, k))
        for a in range(k):
            if a != j:
                new_weight[a] = weight[a] + weight[j] * passed[j, a]
                for b in range(k):
                    loop = passed[a, j] * passed[j, a]
                    if b not in (a, j) and loop < 1 - 1e-12:
                        new[a, b] = (passed[a, b] + passed[a, j] * passed[j, b]) / (1 - loop)
        weight, passed = new_weight, new
    return weight


@pytest.mark.parametrize("procedure", GRAPHS)
@given(cases())
def test_a_graph_is_the_closed_test_of_its_weights(procedure, case):
    """A claim is made if every set of hypotheses that holds it is rejected by some member at its part of the level."""
    p, random = case
    k, one = p.shape[1], of(procedure, p, random)
    wanted = np.ones(p.shape, bool)
    for size in range(1, k + 1):
        for some in map(list, combinations(range(k), size)):
            weight = without(one, [j for j in range(k) if j not in some])
            rejected = ((p <= weight * ALPHA) & (weight > 0))[:, some].any(axis=1)
            wanted[:, some] &= rejected[:, None]
    np.testing.assert_array_equal(claimed(p, ALPHA, procedure, one), wanted)


@given(cases())
def test_steps_are_those_of_adjusted_p_values(case):
    """p.adjust of R, as its help defines it: Holm max(1..i) of (n − i + 1) p, Hochberg min(i..n) of the same."""
    p, _ = case
    k = p.shape[1]
    order = np.argsort(p, axis=1)
    scaled = np.take_along_axis(p, order, axis=1) * np.arange(k, 0, -1)
    for procedure, adjusted in (
        ("holm", np.maximum.accumulate(scaled, axis=1)),
        ("hochberg", np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]),
    ):
        wanted = np.zeros(p.shape, bool)
        np.put_along_axis(wanted, order, adjusted <= ALPHA, axis=1)
        np.testing.assert_array_equal(claimed(p, ALPHA, procedure), wanted)


@given(cases())
def test_procedures_are_ordered(case):
    """Holm claims what Bonferroni does, Hochberg what Holm does; co-primary claims need all at the whole level."""
    p, _ = case
    bonferroni, holm, hochberg, together = (
        claimed(p, ALPHA, name) for name in ("bonferroni", "holm", "hochberg", "co_primary")
    )
    assert not (bonferroni & ~holm).any()
    assert not (holm & ~hochberg).any()
    np.testing.assert_array_equal(together, np.tile((p <= ALPHA).all(axis=1, keepdims=True), p.shape[1]))
    first = claimed(p, ALPHA, "hierarchical")
    np.testing.assert_array_equal(first, np.logical_and.accumulate(p <= ALPHA, axis=1))
    assert not claimed(np.full_like(p, np.nan), ALPHA, "holm").any()


def test_a_known_example_step_by_step():
    """Two primary claims of half the level, each with a secondary one, which passes it to the other primary."""
    one = Graph(
        np.array([0.5, 0.5, 0, 0]), np.array([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]], float)
    )
    p = [[0.02, 0.04, 0.01, 0.5]]  # 1 at .025; 3 at .0125; 2 then has all that is left: .05; 4 has nothing of it
    assert claimed(p, ALPHA, "graphical", one).tolist() == [[True, True, True, False]]
    p = [[0.03, 0.04, 0.01, 0.01]]
    assert not claimed(p, ALPHA, "graphical", one).any()


@pytest.mark.parametrize("procedure", [*GRAPHS[:3], "hochberg"])
def test_the_familywise_error_is_kept(procedure):
    """20,000 trials of three claims without an effect, correlated: at most 5 % and 4 standard errors."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20_000, 3)) * np.sqrt(0.5) + rng.normal(size=(20_000, 1)) * np.sqrt(0.5)
    from scipy.special import ndtr

    made = claimed(ndtr(-z), ALPHA, procedure).any(axis=1).mean()
    assert made <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 20_000)


# ---- of a trial ----


FAMILY = {"procedure": "holm", "claims": [{"analysis": "ancova"}, {"analysis": "joint_rank"}, {"analysis": "logrank"}]}


@pytest.fixture(scope="module")
def trial():
    scenario = sim.load("valor_trial").replace({"trial.family": FAMILY})
    return sim.trial(scenario, replicates=60, analyses=["ancova"], truth=0, null=True, seed=3)


def test_claims_of_several_endpoints_and_days():
    """Each is what a study of its own outcome and endpoint finds in the same people."""
    scenario = sim.load("valor_trial").replace({"trial.analysis_days": [112, 196]})
    claims = [
        {"analysis": "ancova", "day": 196},
        {"analysis": "ancova", "day": 112, "outcome": "svc"},
        {"analysis": "ancova", "outcome": "nfl_plasma"},
        {"analysis": "logrank", "day": 196, "endpoint": "death"},
    ]
    asked = {"replicates": 6, "truth": 0, "null": False, "seed": 4}
    together = scenario.replace({"trial.family": {"procedure": "hierarchical", "claims": claims}})
    found = sim.trial(together, analyses=["ancova"], **asked)
    names = list(found.family)
    assert names[1:4] == ["ancova of svc, day 112", "ancova of nfl_plasma, day 112", "logrank of death, day 196"]
    p, signs = [], (1, 1, -1, -1)
    for one, sign in zip(claims, signs, strict=True):
        more = {key: one[key] for key in ("outcome", "endpoint") if key in one}
        alone = sim.trial(scenario, analyses=[one["analysis"]], **more, **asked)
        at = alone.estimates(one["analysis"], one.get("day", 112))
        p.append(np.where(at["value"] * sign > 0, at["p"], 1.0))
    made = claimed(np.stack(p, axis=1), ALPHA, "hierarchical")
    assert [found.family[name][0].value for name in names[:4]] == made.mean(axis=0).tolist()
    assert found.family["any"][0] == found.family[names[0]][0]  # an order: the first is claimed or none


@pytest.mark.slow
def test_options_and_covariates_reach_the_truth_too():
    options = {
        "cox": {"covariates": ("progression_rate", "age"), "test": "score", "penalty": True},
        "responder": {"stratified": True, "least_change": -4.0},
        "controlled_mi": {"rule": "copy", "delta": -1.0, "imputations": 5},
        "joint_rank_mi": {"covariates": ("female",), "imputations": 5},
        "mmrm": {"df": "kenward_roger", "fallback": True},
    }
    found = sim.trial(
        sim.load("valor_trial"), replicates=3, analyses=list(options), options=options, truth=2000, null=False
    )
    for name in options:
        assert np.isfinite(found.measure(name, "bias").value), name


@pytest.mark.slow
def test_a_trial_runs_its_claims_and_says_what_they_come_to(trial):
    assert trial.analyses == ("ancova", "joint_rank", "logrank")
    p = np.stack([np.where(trial.estimates(n)["value"] * s > 0, trial.estimates(n)["p"], 1)
                  for n, s in (("ancova", 1), ("joint_rank", 1), ("logrank", -1))], axis=1)  # fmt: skip
    made = claimed(p, ALPHA, "holm")
    found = trial.family
    assert list(found) == ["ancova, day 196", "joint_rank, day 196", "logrank, day 196", "any", "all"]
    for k, one in enumerate([*made.T, made.any(axis=1), made.all(axis=1)]):
        assert list(found.values())[k][0] == share(one)
    assert found["any"][1].value >= max(error.value for claim, (_, error) in found.items() if claim != "any")
    for name in ("ancova", "joint_rank"):
        assert found[f"{name}, day 196"][0].value <= trial.measure(name, "power").value


def test_it_is_printed_kept_and_told(trial, tmp_path):
    text = " ".join(trial_text(trial).split())
    assert "claims, holm power, % error, % ancova, day 196" in text
    document = trial_document(trial)["family"]
    assert document["procedure"] == "holm"
    assert document["claims"][3]["power"] == trial.family["any"][0]._asdict()
    trial.save(tmp_path / "trial.nc")
    assert sim.open(tmp_path / "trial.nc").family == trial.family


def claims(*parts):
    """The claims of FAMILY, each with more."""
    return {"claims": [{**claim, **part} for claim, part in zip(FAMILY["claims"], parts, strict=True)]}


def weighed(*weights):
    return claims(*({} if weight is None else {"weight": weight} for weight in weights))


def drawn(*rows):
    return {"procedure": "graphical", **claims(*({"weight": 0.3, "passes_on": row} for row in rows))}


TWO = [{"analysis": "ancova"}, {"analysis": "cox"}]


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ({"claims": [TWO[0], {"analysis": "cafs"}]}, "there is no analysis cafs. Write joint_rank"),
        ({"claims": [TWO[0], TWO[0]]}, "a claim is there twice. Write each once"),
        ({"claims": [{**TWO[0], "day": 12}, TWO[1]]}, "day 12 of a claim is no day of analysis"),
        ({"claims": [{**TWO[0], "outcome": "hhd"}, TWO[1]]}, "a claim is made of hhd, but visits do not assess it"),
        (weighed(0.5, 0.7, 0.1), "the weights add up to 1.3, and the level is 1 of itself"),
        (weighed(0.5, 0.5, None), "there are 2 weights for 3 claims"),
        ({"procedure": "hochberg", **weighed(0.5, 0.5, 0)}, "hochberg has no weights"),
        ({**drawn([0, 1, 0], [1, 0, 0], [1, 0, 0]), "procedure": "holm"}, "holm passes nothing on"),
        ({"procedure": "graphical", **weighed(1, 0, 0)}, "in a graph every claim has a weight and passes on"),
        (drawn([0, 1, 0], [0, 0.5, 0], [0, 0, 0]), "claim 2 passes its level to itself"),
        (drawn([0, 1, 0.2], [0, 0, 1], [0, 0, 0]), "claim 1 passes on 1.2 of its level"),
        (drawn([0, 1], [1, 0], [0, 0]), "claim 1 passes on 2 parts to 3 claims"),
    ],
)
def test_contradictions_are_one_error_before_anything_runs(family, message):
    with pytest.raises(ScenarioError, match=message):
        sim.load("valor_trial").replace({"trial.family": {**FAMILY, **family}})


def test_a_graph_is_read_from_its_claims():
    one = sim.load("valor_trial").replace({"trial.family": drawn([0, 1, 0], [0, 0, 1], [0, 0, 0])})
    assert one.trial.family.weights == [0.3, 0.3, 0.3]
    assert one.trial.family.transitions == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert not any("Quantity" in str(line) for line in one.resolved_yaml().splitlines())


def test_looks_have_one_claim():
    with pytest.raises(ScenarioError, match=r"looks spend the level of one claim\. Remove interim or family"):
        sim.load("group_sequential").replace({"trial.family": FAMILY})
