"""The printed papers of a packet's way: facts in, PDF out; never a table, never a decision of who may print what."""
