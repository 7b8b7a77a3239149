"""A small block `decision`."""

DECISION = {
    "options": ["untreated", "treated"],
    "currency": "USD",
    "price_year": 2024,
    "perspective": "payer",
    "discount_per_year": 0.05,
    "willingness_to_pay": 100_000,
    "utilities": {"system": "ft9", "states": {f"stage_{k}": 0.7 for k in range(5)}},
    "costs": {"per_month": {"alive": 1000}},
}
