"""What it means: the accounting of ACCOUNTING.md as pure functions over immutable facts."""
