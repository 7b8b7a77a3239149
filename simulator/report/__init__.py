"""For people who look: pictures of a result, and the report, one HTML file."""
