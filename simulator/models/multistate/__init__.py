"""King's stages as a Markov chain on the disease clock."""
