"""How the clients of a process share what it has."""
