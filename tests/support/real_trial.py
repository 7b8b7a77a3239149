"""How a real trial is read, where ALS_TRIAL_DATA names its folder."""

REAL_MAPPING = """
participants:
  file: {folder}/valproic_acid_participants.csv
  columns: {{id: id, arm: arm, followup: {{column: months, unit: month}}, died: died}}
measurements:
  file: {folder}/valproic_acid_alsfrs_r.csv
  columns: {{id: id, planned_day: {{column: month, unit: month}}, alsfrs_r: alsfrs_r}}
"""
