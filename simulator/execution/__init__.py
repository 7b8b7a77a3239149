"""Many tasks: what they run on, how their results arrive, where finished ones are kept, who may go on with them."""
