"""`doenda live`: tells open pages what happened beside them; its own process, for no page may hold a web thread."""
