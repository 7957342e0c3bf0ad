"""What device-bound sessions cost a verification: of a bound session, and of one that is not."""

from __future__ import annotations

from argparse import Namespace

from support.report import Claim, Report, sampled
from support.rounds import interleave, median, sized, workers

OFF, UNBOUND, BOUND = (
    "ours: device_binding off",
    "ours: device_binding on, not bound",
    "ours: device_binding on, bound",
)
#: Microseconds that a verification may cost more.
UNBOUND_US, BOUND_US = 0.2, 3.0


def run(options: Namespace) -> Report:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(15, 12, 8), full=(101, 90, 20))
    with workers(("contestants.binding:verify_cases",)) as contestants:
        samples = interleave(contestants, rounds=rounds, budget_s=budget, slice_ms=slice_ms)
    rows = [(OFF, "base"), (UNBOUND, "us"), (BOUND, "us")]
    groups = [sampled("get_session of a request, a known token", samples, rows, base=OFF)]
    claims = [
        Claim(f"{name}: us more per verification", target, median(more))
        for name, target, more in (
            ("not bound", UNBOUND_US, _more(samples[UNBOUND].cpu, samples[OFF].cpu)),
            ("bound", BOUND_US, _more(samples[BOUND].cpu, samples[OFF].cpu)),
        )
    ]
    return Report(
        "binding", options.quick, groups, claims, ["CPU of one process, in which all cases take turns."]
    )


def _more(these: list[float], those: list[float]) -> list[float]:
    return [a - b for a, b in zip(these, those, strict=True)]
