"""All findings, from cause to symptom: the first one that holds is a member's own."""

import torch

from arith_lightning.diagnosis import cannot, course, inputs, outside, targets, units
from arith_lightning.diagnosis.evidence import Evidence
from arith_lightning.diagnosis.finding import Diagnosis, Finding

ORDER: tuple[Finding, ...] = (
    course.diverged,
    targets.out_of_precision,
    outside.strange_inputs,
    outside.collinear_inputs,
    outside.right_inside_wrong_outside,
    outside.learnt_by_heart,
    cannot.linear_network,
    cannot.symmetric_network,
    cannot.sign_lost,
    targets.targets_out_of_range,
    targets.contradictory_rows,
    units.dead_output,
    targets.jagged_target,
    inputs.unscaled_inputs,
    units.saturated_gates,
    units.vanishing_gradient,
    units.exploding_gradient,
    targets.unscaled_targets,
    units.dead_hidden_units,
    units.constant_output,
    units.saturated_units,
    course.too_large_a_step,
    course.no_better_than_a_constant,
    course.still_falling,
    course.stuck,
)


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Return what is found, each member under its first finding, the commonest finding first."""
    left, found = torch.ones(len(evidence), dtype=torch.bool), list[Diagnosis]()
    for finding in ORDER:
        seen = finding.look(evidence)
        if seen is None:
            continue
        own = seen.members & left
        if own.any():
            left &= ~own
            found.append(Diagnosis(finding, int(own.sum()), len(evidence), seen.told(own)))
    return sorted(found, key=lambda diagnosis: -diagnosis.members)
