"""Archives: packets that ended long ago, with all of their history, as files of one month each; never a live packet."""
