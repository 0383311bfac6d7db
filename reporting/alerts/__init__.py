"""Alerts: events of the ledger become deliveries, one per event and channel, sent at least once.

`message` says an event in words and as JSON, `mail` and `webhook` are the channels, `worker` is the loop.
"""
