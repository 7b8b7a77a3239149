"""The explorer: a local page with sliders, whose pictures are drawn anew while one moves."""
