"""A small scenario with a sweep, and addresses in it."""

EFFECT, DAY, ELIGIBLE = "treatments.tofersen.effect.mean", "arms.treated.0.from_day", "entry.eligible.svc_percent.min"


SCENARIO = """
schema_version: 1
title: A small sweep
patients: 150
disease: {catalog: sod1, variants: {p.Ala5Val: 0.12, other: 0.88}}
progression: {model: clock}
entry: {time_since_onset_months: {normal: {mean: 12, sd: 4, low: 3}}, eligible: {svc_percent: {min: 50}}}
treatments: {tofersen: {catalog: tofersen}}
arms: {untreated: [], treated: [{treatments: [tofersen], from_day: 0}]}
visits: {every_days: 84, assessments: [alsfrs_r]}
follow_up_days: 364
sweep:
  method: grid
  parameters: {%s: [0.3, 0.5, 0.7], %s: [0, 100]}
""" % (EFFECT, DAY)  # noqa: UP031 - braces belong to YAML
