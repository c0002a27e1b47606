"""The telephone: prompts, keys and calls, walking the same journeys and sessions as the pages do."""
