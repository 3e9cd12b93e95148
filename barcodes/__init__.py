"""Numbers, symbols, what a scanner typed, labels and papers; no tables, no network."""
