"""How the tables came to be, step by step; never a rule of the trip."""
