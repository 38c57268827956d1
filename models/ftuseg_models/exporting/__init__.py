"""The bundle: the files that `ftuseg` reads, and the pages that describe them."""
