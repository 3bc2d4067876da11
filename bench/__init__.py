"""How fast the target is beside what one would use instead: `make bench` measures it, `docs/speed.md` shows it."""
