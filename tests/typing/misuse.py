"""What mypy must refuse: each line has the code of its error behind it."""

import simulator as sim

scenario = sim.load("valor")
sim.simulate(scenario, patients="many")  # [arg-type]
sim.simulate(scenario, output="everything")  # [arg-type]
sim.simulate(scenario, people=20)  # [call-arg]
sim.load(3)  # [arg-type]
sim.trial(scenario, 100)  # [call-arg]
missing = sim.simulate(scenario).no_such_thing  # [attr-defined]
