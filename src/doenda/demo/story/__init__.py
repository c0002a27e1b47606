"""The fourteen days of docs/story.md, replayed for a population: with this code, and with the carrier's way of then.

`scenario` (data, each with its source) and `population` are shared; `ours` plays the real house on a real PostgreSQL
and a virtual clock, `then` is a small model; `book` judges both alike; `report` shows it.
"""
