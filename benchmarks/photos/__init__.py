"""How the service fares with files from outside: a folder of photos, or photos that were mutated."""
