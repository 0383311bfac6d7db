"""`nines demo`: the real daemon on three small servers, then a sample month with its reports and credits.

Everything runs on loopback with ports and a database of its own and is gone afterwards, but for the files in `--out`.
"""
