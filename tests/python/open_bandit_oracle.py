"""OBP's estimators on the Open Bandit data, beside ours on the same log, policy and reward predictions.

    python3 -m venv V && V/bin/pip install --no-deps obp==0.4.1 && V/bin/pip install numpy pandas scikit-learn scipy pyyaml tqdm matplotlib seaborn mypy_extensions pyieoe
    V/bin/python tests/python/open_bandit_oracle.py

prints what OBP makes of them: the values that `xynergy-attribution/tests/evaluate.rs` holds ours to. With the package `xynergy` in
the same environment it compares the two itself, to 1e-12.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

DATA = Path(__file__).resolve().parents[2] / "../shared/data/bandit"
WITHIN = 1e-12


class Stub(ModuleType):
    """A module of torch: its policies by gradient descent are defined and not used, and it weighs 2 GB."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        made = sys.modules.get(f"{self.__name__}.{name}") or type(name, (), {})
        setattr(self, name, made)
        return made


for name in ("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils", "torch.utils.data"):
    sys.modules.setdefault(name, Stub(name))


def main() -> int:
    path = DATA / "obd_random_men.csv.gz"
    if not path.exists():
        print(f"skipped: {path} is not there")
        return 0
    try:
        np = import_module("numpy")
        obp = import_module("obp.ope.estimators")
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 0
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = json.loads((DATA / "thompson_golden_men.json").read_text(encoding="utf-8"))["men"]["p_best"]
    policy = [p / sum(best) for p in best]
    action = np.array([int(row["item_id"]) for row in rows])
    # OBP counts positions from 0; the policy is the same at each.
    position = np.array([int(row["position"]) - 1 for row in rows])
    reward = np.array([float(row["click"]) for row in rows])
    pscore = np.array([float(row["propensity_score"]) for row in rows])
    n, arms, places = len(rows), len(policy), 3
    dist = np.broadcast_to(np.array(policy)[None, :, None], (n, arms, places))
    certain = np.zeros((n, arms, places))
    certain[:, int(np.argmax(policy)), :] = 1.0
    # Predictions that differ from action to action, and that both are given.
    expected = [0.004 + 0.0001 * arm for arm in range(arms)]
    model = np.broadcast_to(np.array(expected)[None, :, None], (n, arms, places))
    given = {"reward": reward, "action": action, "pscore": pscore, "position": position}
    found = {
        "replay": obp.ReplayMethod().estimate_policy_value(reward=reward, action=action, action_dist=certain, position=position),
        "ips": obp.InverseProbabilityWeighting().estimate_policy_value(action_dist=dist, **given),
        "snips": obp.SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(action_dist=dist, **given),
        "dm": obp.DirectMethod().estimate_policy_value(
            action_dist=dist, estimated_rewards_by_reg_model=model, position=position
        ),
        "dr": obp.DoublyRobust().estimate_policy_value(action_dist=dist, estimated_rewards_by_reg_model=model, **given),
    }
    for estimator, value in found.items():
        print(f"{estimator:7} {float(value)!r}")
    try:
        client_type = import_module("xynergy.blocking").Client
    except ImportError:
        print("xynergy is not in this environment: nothing was compared")
        return 0
    log = [
        {
            "action": row["item_id"],
            "propensity": float(row["propensity_score"]),
            "reward": float(row["click"]),
            "context": row["position"],
            "predicted": {str(arm): value for arm, value in enumerate(expected)},
        }
        for row in rows
    ]
    with client_type() as client:
        drawn = client.allocation.evaluate(log, {"actions": {str(arm): p for arm, p in enumerate(policy)}})
        sure = client.allocation.evaluate(log, {"actions": {str(policy.index(max(policy))): 1.0}})
    ours = {e.estimator: e.value for e in drawn.estimates}
    ours["replay"] = next(e.value for e in sure.estimates if e.estimator == "replay")
    wrong = [name for name, value in found.items() if abs(ours[name] - float(value)) > WITHIN]
    for name in wrong:
        print(f"{name}: {ours[name]!r} is not OBP's {float(found[name])!r}", file=sys.stderr)
    print("all within 1e-12 of OBP" if not wrong else f"{len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
