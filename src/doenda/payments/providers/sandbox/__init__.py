"""The sandbox bank: card and real-time account transfer behind a redirect page, money moves at `confirm`."""
