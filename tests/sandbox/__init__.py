"""A separate program that plays the outside systems over HTTP. It imports nothing of the hub and no Django.

Start it with ``python -m tests.sandbox --data DIR --secret SECRET``. One folder per system; what they share lies here.
"""
