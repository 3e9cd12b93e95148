"""The commands of `shabarman`, one module per group: names, options and words; what they do lives in its own module."""
