"""The database backend: Django's PostgreSQL with a seam at every commit, and no write outside a transaction."""
