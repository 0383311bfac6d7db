"""The daemon: a small supervisor with two children, `probe` and `web`; either may die and come back alone."""
