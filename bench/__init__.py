"""How fast the target is beside what one would use instead. `make bench` runs it; `docs/speed.md` shows what it found."""
