"""A small shop in a PostgreSQL of its own, taken through Meltano to an endpoint on this machine."""
