"""A call centre in virtual time, run by the line's own pure rules: for the bench of waits, and for the story."""
