"""What is observed: scheduler, one small function per check kind, and the road from an attempt to the ledger."""
