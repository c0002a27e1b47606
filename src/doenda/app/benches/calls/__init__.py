"""`doenda bench calls`: how many calls a second are answered cleanly, with callers held in line beside them."""
