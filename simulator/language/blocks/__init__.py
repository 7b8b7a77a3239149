"""Optional blocks of the scenario: one file each, none knows another."""
