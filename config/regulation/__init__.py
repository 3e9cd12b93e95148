"""The regulation as data, and the reading of its files; never a rule of the trip, nothing that packets change."""
