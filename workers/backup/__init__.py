"""Copies of an installation: its database and its settings in one file, and the way back. The broker needs none."""
