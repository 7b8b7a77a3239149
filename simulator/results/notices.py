"""What stands under every answer, once for all of them."""

OF_PEOPLE = "For research, not for treatment decisions."
NOTICE = f"{OF_PEOPLE} A simulated benefit is not proven."
