"""A school: several classes in one process, and several processes that know of each other through their database."""
