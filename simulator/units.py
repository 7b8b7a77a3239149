"""The only constants of time. A month is a twelfth of a Julian year."""

DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 30.4375
DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12
